package io.remus.agent.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EpochStageTest {
  private static final int CHUNK = 1000;

  @TempDir private Path directory;
  private final List<String> applied = new ArrayList<>();

  @Test
  void shouldKeepASmallEpochInTheBuffersItCameIn() throws Exception {
    ByteBuf first = chunk("first");
    ByteBuf second = chunk("second");
    try (EpochStage stage = new EpochStage(directory, 2 * CHUNK)) {
      assertThat(stage.pages(first)).as("credit at once").isZero();
      assertThat(stage.pages(second)).as("credit at once").isZero();
      assertThat(first.refCnt()).isEqualTo(1);

      assertThat(stage.drainTo(this::apply)).as("credit at commit").isEqualTo(2 * CHUNK);

      assertThat(applied).containsExactly("first", "second");
      assertThat(first.refCnt() + second.refCnt()).isZero();
    }
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void shouldKeepTheOrderOfAnEpochThatSpillsToAFile() throws Exception {
    try (EpochStage stage = new EpochStage(directory, 2 * CHUNK)) {
      long credit = 0;
      List<ByteBuf> spilled = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        ByteBuf chunk = chunk("chunk " + i);
        credit += stage.pages(chunk);
        if (i >= 2) {
          spilled.add(chunk);
        }
      }
      assertThat(credit).as("credit at once").isEqualTo(8 * CHUNK);
      assertThat(spilled).allMatch(chunk -> chunk.refCnt() == 0);

      assertThat(stage.drainTo(this::apply)).as("credit at commit").isEqualTo(2 * CHUNK);

      assertThat(applied)
          .hasSize(10)
          .startsWith("chunk 0", "chunk 1", "chunk 2")
          .endsWith("chunk 8", "chunk 9")
          .isSorted();
    }
  }

  @Test
  void shouldNotLetALaterSmallChunkOvertakeWhatIsInTheFile() throws Exception {
    try (EpochStage stage = new EpochStage(directory, CHUNK)) {
      stage.pages(small("1"));
      stage.pages(chunk("2"));
      assertThat(stage.pages(small("3"))).as("there would be room in memory").isPositive();

      stage.drainTo(this::apply);

      assertThat(applied).containsExactly("1", "2", "3");
    }
  }

  @Test
  void shouldLeaveNoFileBehindEvenWhileItIsInUse() throws Exception {
    try (EpochStage stage = new EpochStage(directory, 0)) {
      stage.pages(chunk("spilled"));

      assertThat(directory).isEmptyDirectory();
      stage.drainTo(this::apply);
      assertThat(applied).containsExactly("spilled");
    }
  }

  @Test
  void shouldFreeEverythingWhenItIsDiscarded() throws Exception {
    ByteBuf kept = chunk("kept");
    EpochStage stage = new EpochStage(directory, CHUNK);
    stage.pages(kept);
    stage.pages(chunk("spilled"));

    stage.close();

    assertThat(kept.refCnt()).isZero();
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void shouldFreeAChunkWhoseApplyingFailsAndTheRestAtClose() throws Exception {
    ByteBuf first = chunk("first");
    ByteBuf second = chunk("second");
    EpochStage stage = new EpochStage(directory, 2 * CHUNK);
    stage.pages(first);
    stage.pages(second);

    assertThatThrownBy(
            () ->
                stage.drainTo(
                    records -> {
                      throw new IOException("the process is gone");
                    }))
        .hasMessage("the process is gone");

    assertThat(first.refCnt()).isZero();
    assertThat(second.refCnt()).isEqualTo(1);
    stage.close();
    assertThat(second.refCnt()).isZero();
  }

  @Test
  void shouldSayWhenTheDiskIsFullAndStillBeDiscardable() throws Exception {
    Path small = directory.resolve("small");
    assumeTrue(small.toFile().mkdir());
    assumeTrue(
        run("mount", "-t", "tmpfs", "-o", "size=16k", "remus-test", small.toString()),
        "a small disk can only be mounted as root");
    try {
      ByteBuf refused = Unpooled.directBuffer().writeZero(64 * 1024);
      EpochStage stage = new EpochStage(small, 0);
      try (stage) {
        stage.pages(chunk("fits"));
        assertThatThrownBy(() -> stage.pages(refused))
            .isInstanceOf(IOException.class)
            .hasMessageContaining("No space left on device");
      }
      assertThat(refused.refCnt()).isZero();
      assertThat(small).isEmptyDirectory();
    } finally {
      assertThat(run("umount", small.toString())).isTrue();
    }
  }

  private static boolean run(String... command) throws Exception {
    return new ProcessBuilder(command).start().waitFor() == 0;
  }

  private void apply(ByteBuf records) {
    assertThat(records.hasMemoryAddress()).as("native code takes it").isTrue();
    applied.add(records.toString(StandardCharsets.US_ASCII).strip());
  }

  private static ByteBuf small(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    return Unpooled.directBuffer().writeBytes(bytes);
  }

  /** A chunk of a fixed length. */
  private static ByteBuf chunk(String text) {
    return small(("%-" + CHUNK + "s").formatted(text));
  }
}
