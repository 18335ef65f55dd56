package io.remus.agent.disk.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.remus.core.control.DiskDurability;
import io.remus.core.wire.DiskImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Copies of disks that are replicated on meanwhile. */
class ImageCopiesTest {
  private static final long TERM = 3;
  private static final List<DiskImage> DISKS =
      List.of(new DiskImage("vda", (3 << 20) + 5000), new DiskImage("vdb", 70_000));

  @TempDir private Path directory;
  private final AtomicReference<IOException> broken = new AtomicReference<>();
  private final Guest guest = new Guest(new Random(1), DISKS);
  private Replica replica;
  private long epoch;

  @BeforeEach
  void open() throws IOException {
    replica =
        Replica.open(
            directory.resolve("disks"),
            new ReplicaSpec(Guest.UUID, "ledger", "hv1", DISKS, Map.of(), Map.of(), "<domain/>"),
            1 << 20,
            DiskDurability.MEMORY,
            broken::set);
    replica.beginSynchronisation(TERM);
    ByteBuf first = guest.write(20, 200_000);
    replica.synchronise(first);
    first.release();
    runEpochs(3);
  }

  @AfterEach
  void close() throws IOException {
    replica.close();
    assertThat(broken.get()).isNull();
  }

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

  private List<byte[]> committedContents;

  private List<byte[]> committed() {
    return committedContents;
  }

  private List<Path> files() throws IOException {
    Path to = Files.createDirectories(directory.resolve("copies"));
    return List.of(to.resolve("vda.raw"), to.resolve("vdb.raw"));
  }

  private void runEpochs(int count) throws IOException {
    for (int i = 0; i < count; i++) {
      ByteBuf records = guest.write(3, 30_000);
      replica.stage(epoch + 1, records);
      records.release();
      replica.commit(TERM, ++epoch);
      committedContents = guest.contents();
    }
  }

  /** An epoch that never becomes whole. */
  private void stage() throws IOException {
    ByteBuf records = guest.write(3, 30_000);
    replica.stage(epoch + 1, records);
    records.release();
    guest.become(committedContents);
  }
}
