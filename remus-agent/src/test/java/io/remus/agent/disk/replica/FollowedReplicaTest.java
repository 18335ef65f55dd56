package io.remus.agent.disk.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.remus.core.control.DiskDurability;
import io.remus.core.wire.DiskImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A replica that goes on while somebody follows it. */
abstract class FollowedReplicaTest {
  static final List<DiskImage> DISKS =
      List.of(new DiskImage("vda", (5 << 20) + 5000), new DiskImage("vdb", 70_000));

  private static final long TERM = 3;

  @TempDir Path directory;
  Replica replica;
  private final AtomicReference<IOException> broken = new AtomicReference<>();
  private final Guest guest = new Guest(new Random(1), DISKS);
  private long epoch;
  private List<byte[]> committed;

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

  /** What is on the disks at the last committed epoch; a copy. */
  List<byte[]> committed() {
    return committed.stream().map(byte[]::clone).toList();
  }

  void runEpochs(int count) throws IOException {
    for (int i = 0; i < count; i++) {
      stageWrites();
      replica.commit(TERM, ++epoch);
      committed = guest.contents();
    }
  }

  /** An epoch that never becomes whole. */
  void stage() throws IOException {
    stageWrites();
    guest.become(committed);
  }

  private void stageWrites() throws IOException {
    ByteBuf records = guest.write(3, 30_000);
    replica.stage(epoch + 1, records);
    records.release();
  }
}
