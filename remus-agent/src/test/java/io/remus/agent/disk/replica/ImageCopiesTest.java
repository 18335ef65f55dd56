package io.remus.agent.disk.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remus.core.wire.DiskImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Copies of disks that are replicated on meanwhile. */
class ImageCopiesTest extends FollowedReplicaTest {
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 40})
  void shouldBeTheDisksOfTheChosenEpochAlthoughTheReplicaGoesOn(int epochsAfter) throws Exception {
    List<byte[]> chosen;
    try (ImageCopies copies = replica.copyTo(files())) {
      while (copies.step()) {
        runEpochs(1);
      }
      runEpochs(2);
      stage();
      replica.discard();
      copies.endHere();
      chosen = committed();
      runEpochs(epochsAfter);
      copies.finish();
    }
    runEpochs(3);

    for (int i = 0; i < DISKS.size(); i++) {
      assertThat(Files.readAllBytes(files().get(i))).isEqualTo(chosen.get(i));
    }
    replica.settle();
    for (int i = 0; i < DISKS.size(); i++) {
      assertThat(Files.readAllBytes(replica.images().get(i))).isEqualTo(committed().get(i));
    }
  }

  @Test
  void shouldLeaveHolesWhereTheImageHasThem() throws Exception {
    try (ImageCopies copies = replica.copyTo(files())) {
      while (copies.step()) {
        assertThat(copies.copiedBytes()).isPositive();
      }
      assertThat(copies.copiedBytes()).isEqualTo(DISKS.stream().mapToLong(DiskImage::bytes).sum());
    }
    assertThat(Files.size(files().get(0))).isEqualTo(DISKS.get(0).bytes());
  }

  @Test
  void shouldNotHurtTheReplicaWhenACopyCannotBeWritten() throws Exception {
    ImageCopies copies = replica.copyTo(files());
    copies.close();
    runEpochs(2);

    assertThatThrownBy(copies::step).isInstanceOf(IOException.class);
    replica.settle();
    assertThat(Files.readAllBytes(replica.images().get(0))).isEqualTo(committed().get(0));
  }

  @Test
  void shouldEndWithTheReplica() throws Exception {
    try (ImageCopies copies = replica.copyTo(files())) {
      copies.endHere();
      replica.close();

      assertThatThrownBy(copies::step).hasMessageContaining("other things to do");
      assertThatThrownBy(copies::finish).hasMessageContaining("other things to do");
    }
  }

  @Test
  void shouldCopyOnceAtATimeAndAgainAfterwards() throws Exception {
    try (ImageCopies first = replica.copyTo(files())) {
      Path other = directory.resolve("other");
      Files.createDirectories(other);
      List<Path> more = List.of(other.resolve("vda.raw"), other.resolve("vdb.raw"));
      assertThatThrownBy(() -> replica.copyTo(more))
          .hasMessageContaining("followed for that already");
      while (first.step()) {
        runEpochs(1);
      }
    }
    replica.copyTo(files()).close();
  }

  private List<Path> files() throws IOException {
    Path to = Files.createDirectories(directory.resolve("copies"));
    return List.of(to.resolve("vda.raw"), to.resolve("vdb.raw"));
  }
}
