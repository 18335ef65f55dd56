package io.remus.agent.disk.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.remus.core.control.DiskDurability;
import io.remus.core.wire.DiskImage;
import io.remus.core.wire.DiskRecords;
import io.remus.core.wire.Frame.BlockHashes;
import io.remus.core.wire.ProtocolException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplicaTest {
  private static final int MIB = 1 << 20;
  private static final String OTHER = Guest.UUID.replace('1', '9');
  private static final Path ALL = Path.of("/disks");

  @TempDir private Path directory;
  private final AtomicReference<IOException> broken = new AtomicReference<>();

  // ---- epochs

  @Test
  void shouldApplyWhatWasCommittedAndNothingElse() throws Exception {
    try (Replica replica = open(disks(MIB))) {
      replica.beginSynchronisation(3);
      replica.synchronise(write(0, "synchronised"));
      replica.stage(1, write(100, "first"));
      replica.commit(3, 1);
      await().until(() -> replica.unappliedBytes() == 0);
      replica.stage(2, write(100, "second"));

      assertThat(read(replica, 0, 12)).isEqualTo("synchronised");
      assertThat(read(replica, 100, 6)).isEqualTo("first\0");

      replica.settle();

      assertThat(read(replica, 100, 6)).isEqualTo("first\0");
      assertThat(replica.info().state()).isEqualTo(ReplicaState.CONSISTENT);
      assertThat(replica.info().epoch()).isEqualTo(1);
      assertThat(replica.journalBytes()).isZero();
    }
  }

  @Test
  void shouldGoOnAfterItWasSettled() throws Exception {
    List<DiskImage> disks = disks(MIB);
    try (Replica replica = open(disks)) {
      replica.beginSynchronisation(1);
      replica.commit(1, 1);
      replica.settle();
      replica.stage(2, write(7, "later"));
      replica.commit(1, 2);
    }
    ReplicaInfo info = Replicas.recover(directory).get(0).info();
    assertThat(info.epoch()).isEqualTo(2);
    assertThat(Files.readAllBytes(info.disks().get(0).path()))
        .contains("later".getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void shouldNeverReplayAJournalOnImagesThatAGuestWrites() throws Exception {
    Path image;
    try (Replica replica = open(disks(MIB))) {
      replica.beginSynchronisation(1);
      replica.stage(1, write(0, "replicated"));
      replica.commit(1, 1);
      assertThatThrownBy(() -> replica.activated(2))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("not settled");
      replica.settle();
      replica.activated(2);
      assertThatThrownBy(() -> replica.stage(2, write(0, "too late")))
          .isInstanceOf(IllegalStateException.class);
      image = replica.images().get(0);
    }
    Files.write(image.resolveSibling("journal-9.log"), new byte[100]);
    try (RandomAccessFile guest = new RandomAccessFile(image.toFile(), "rw")) {
      guest.write("by a guest".getBytes(StandardCharsets.US_ASCII));
    }

    Replicas.Recovered found = Replicas.recover(directory).get(0);

    assertThat(found.problem()).isNull();
    assertThat(found.info().state()).isEqualTo(ReplicaState.ACTIVE);
    assertThat(found.info().term()).isEqualTo(2);
    assertThat(Files.readString(image, StandardCharsets.ISO_8859_1)).startsWith("by a guest");
  }

  @Test
  void shouldReportAReplicaWhoseSynchronisationDidNotEnd() throws Exception {
    try (Replica replica = open(disks(MIB))) {
      replica.beginSynchronisation(1);
      replica.synchronise(write(0, "a part"));
      replica.stage(1, write(0, "not committed"));
      replica.settle();
      assertThatThrownBy(() -> replica.activated(2)).isInstanceOf(IllegalStateException.class);
    }
    assertThat(Replicas.recover(directory).get(0).info().state()).isEqualTo(ReplicaState.SYNCING);
    assertThatThrownBy(() -> Replicas.activated(directory, Guest.UUID, 2))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void shouldKnowWhatItTakesToRunTheVm() throws Exception {
    Path image;
    try (Replica replica = open(disks(MIB, 5000))) {
      replica.beginSynchronisation(4);
      replica.commit(4, 8);
      image = replica.images().get(1);
    }
    Replicas.recover(directory);

    ReplicaInfo info = Replicas.list(directory).get(0);

    assertThat(info.vm()).isEqualTo("ledger");
    assertThat(info.uuid()).isEqualTo(Guest.UUID);
    assertThat(info.primary()).isEqualTo("hv1");
    assertThat(info.xml()).isEqualTo("<domain>\n</domain>");
    assertThat(info.term()).isEqualTo(4);
    assertThat(info.epoch()).isEqualTo(8);
    assertThat(info.committedAt()).isBetween(Instant.now().minusSeconds(600), Instant.now());
    assertThat(info.disks().get(1)).isEqualTo(new ReplicaInfo.Disk("vdb", image, 5000, 0));
    Replicas.activated(directory, Guest.UUID, 5);
    assertThat(Replicas.list(directory).get(0).state()).isEqualTo(ReplicaState.ACTIVE);
  }

  @Test
  void shouldRefuseWhatComesOutOfOrder() throws Exception {
    try (Replica replica = open(disks(MIB))) {
      assertThatThrownBy(() -> replica.stage(1, write(0, "x")))
          .isInstanceOf(IllegalStateException.class);
      replica.beginSynchronisation(2);
      replica.commit(2, 5);
      assertThatThrownBy(() -> replica.commit(2, 5)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> replica.commit(1, 6)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> replica.synchronise(write(0, "x")))
          .isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> replica.stage(6, write(MIB - 1, "xx")))
          .isInstanceOf(ProtocolException.class);
      replica.stage(6, write(0, "good"));
      replica.commit(2, 6);
    }
    assertThat(Replicas.recover(directory).get(0).info().epoch()).isEqualTo(6);
  }

  // ---- forces, bounds, errors

  @Test
  void shouldForceInJournalModeOnlyWhatHasRecords() throws Exception {
    SimulatedDisk disk = new SimulatedDisk(new Random(1));
    try (Replica replica = simulated(disk, DiskDurability.JOURNAL)) {
      replica.beginSynchronisation(1);
      replica.commit(1, 1);
      int before = disk.forces();
      replica.commit(1, 2);
      assertThat(disk.forces()).isEqualTo(before);
      replica.stage(3, write(0, "x"));
      replica.commit(1, 3);
      assertThat(disk.forces()).isEqualTo(before + 1);
    }
  }

  @Test
  void shouldForceNothingForACommitInMemoryMode() throws Exception {
    SimulatedDisk disk = new SimulatedDisk(new Random(1));
    try (Replica replica = simulated(disk, DiskDurability.MEMORY)) {
      replica.beginSynchronisation(1);
      replica.commit(1, 1);
      int before = disk.forces();
      replica.stage(2, write(0, "x"));
      replica.commit(1, 2);
      assertThat(disk.forces()).isEqualTo(before);
      replica.applySome(1);
      assertThat(disk.forces()).as("before it reaches the image").isEqualTo(before + 1);
    }
  }

  @Test
  void shouldKeepTheJournalWithinItsBoundByWaitingForItsOwnApplying() throws Exception {
    SimulatedDisk disk = new SimulatedDisk(new Random(1));
    ByteBuf chunk = write(0, "x".repeat(1000));
    try (Replica replica = simulated(disk, DiskDurability.MEMORY)) {
      replica.beginSynchronisation(1);
      long most = 0;
      for (int epoch = 1; epoch <= 500; epoch++) {
        replica.stage(epoch, chunk);
        replica.commit(1, epoch);
        most = Math.max(most, replica.journalBytes());
      }
      assertThat(most).isBetween(60_000L, Replica.LEAST_JOURNAL_BYTES);
    }
  }

  @Test
  void shouldLetOneEpochThroughThatIsLargerThanTheJournal() throws Exception {
    ByteBuf chunk = write(0, "y".repeat(200_000));
    try (Replica replica = open(disks(MIB))) {
      replica.beginSynchronisation(1);
      replica.commit(1, 1);
      for (int i = 0; i < 10; i++) {
        replica.stage(2, chunk);
      }
      replica.commit(1, 2);
      replica.stage(3, write(0, "z"));
      replica.commit(1, 3);
      await().until(() -> replica.journalBytes() < 1000 && replica.unappliedBytes() == 0);
      assertThat(read(replica, 0, 3)).isEqualTo("zyy");
    }
  }

  @Test
  void shouldThrowItsFirstErrorEverAfter() throws Exception {
    SimulatedDisk disk = new SimulatedDisk(new Random(1));
    try (Replica replica = simulated(disk, DiskDurability.MEMORY)) {
      replica.beginSynchronisation(1);
      replica.commit(1, 1);
      disk.failNextWrite(new IOException("cannot write FILE: No space left on device"));
      String first = "the disk replica of VM ledger: cannot write FILE: No space left on device";
      assertThatThrownBy(() -> replica.stage(2, write(0, "x"))).hasMessage(first);
      assertThatThrownBy(() -> replica.stage(2, write(0, "x"))).hasMessage(first);
      assertThatThrownBy(() -> replica.commit(1, 2)).hasMessage(first);
      assertThatThrownBy(replica::discard).hasMessage(first);
      assertThatThrownBy(replica::settle).hasMessage(first);
      assertThatThrownBy(() -> replica.beginSynchronisation(2)).hasMessage(first);
    }
    assertThat(Replicas.recover(disk, ALL).get(0).info().epoch()).isEqualTo(1);
  }

  @Test
  void shouldSayWhereRoomIsNeededAndKeepWhatWasCommitted() throws Exception {
    Path small = Files.createDirectory(directory.resolve("small"));
    assumeTrue(
        run("mount", "-t", "tmpfs", "-o", "size=2m", "remus-test", small.toString()),
        "a small disk can only be mounted as root");
    try {
      try (Replica replica = open(small, Guest.UUID, disks(64 * MIB), Map.of())) {
        replica.beginSynchronisation(1);
        replica.commit(1, 1);
        for (int i = 0; i < 6; i++) {
          replica.stage(2, write(i * 200_000, "x".repeat(200_000)));
        }
        replica.commit(1, 2);
        await().until(() -> broken.get() != null);
        assertThatThrownBy(() -> replica.stage(3, write(0, "x")))
            .isInstanceOf(IOException.class)
            .hasMessage(broken.get().getMessage());
      }
      assertThat(broken.get())
          .hasMessageContaining("VM ledger")
          .hasMessageContaining("vda.raw")
          .hasMessageContaining("make room in " + small);
      assertThat(run("mount", "-o", "remount,size=64m", small.toString())).isTrue();

      Replicas.Recovered found = Replicas.recover(small).get(0);

      assertThat(found.problem()).isNull();
      assertThat(found.info().epoch()).isEqualTo(2);
    } finally {
      assertThat(run("umount", small.toString())).isTrue();
    }
  }

  // ---- images and hashes

  @Test
  void shouldHashWhatIsThereAsAStraightforwardComputationDoes() throws Exception {
    int bytes = 300 * BlockHashes.BLOCK_BYTES + 12_345;
    byte[] expected = new byte[bytes];
    Random random = new Random(5);
    List<DiskImage> disks = disks(bytes);
    try (Replica replica = open(disks)) {
      assertThat(replica.blank(0)).isTrue();
      replica.beginSynchronisation(1);
      for (int i = 0; i < 40; i++) {
        byte[] data = new byte[1 + random.nextInt(100_000)];
        random.nextBytes(data);
        int at = random.nextInt(bytes - data.length);
        System.arraycopy(data, 0, expected, at, data.length);
        ByteBuf record = Unpooled.buffer();
        DiskRecords.write(0, at, Unpooled.wrappedBuffer(data), record);
        replica.synchronise(record);
      }
      ByteBuf zero = Unpooled.buffer();
      DiskRecords.zero(0, 10_000, 5_000_000, zero);
      Arrays.fill(expected, 10_000, 5_010_000, (byte) 0);
      replica.synchronise(zero);
    }
    try (Replica replica = open(disks)) {
      assertThat(replica.blank(0)).isFalse();
      assertThat(hashes(replica, 0)).isEqualTo(straightforward(expected));
    }
  }

  @Test
  void shouldHashInBatchesAsLargeAsAFrameMayBe() throws Exception {
    long bytes = (2L * BlockHashes.MOST + 1) * BlockHashes.BLOCK_BYTES;
    List<Long> firsts = new ArrayList<>();
    try (Replica replica = open(disks(bytes))) {
      replica.hashes(0, hashes -> firsts.add(hashes.firstBlock()));
    }
    assertThat(firsts).containsExactly(0L, (long) BlockHashes.MOST, 2L * BlockHashes.MOST);
  }

  @Test
  void shouldMakeAnImageAnewWhoseSizeIsNotTheDisks() throws Exception {
    try (Replica replica = open(disks(MIB, 5000))) {
      replica.beginSynchronisation(1);
      replica.stage(1, write(0, "old"));
      replica.commit(1, 1);
    }
    try (Replica replica = open(disks(2 * MIB, 5000))) {
      assertThat(replica.blank(0)).isTrue();
      assertThat(replica.blank(1)).isFalse();
      assertThat(Files.size(replica.images().get(0))).isEqualTo(2 * MIB);
      assertThat(replica.info().state()).as("one disk is gone").isEqualTo(ReplicaState.SYNCING);
    }
  }

  @Test
  void shouldStayRecoverableUntilASynchronisationBegins() throws Exception {
    try (Replica replica = open(disks(MIB))) {
      replica.beginSynchronisation(1);
      replica.stage(1, write(0, "kept"));
      replica.commit(1, 1);
    }
    try (Replica replica = open(disks(MIB))) {
      assertThat(replica.info().epoch()).isEqualTo(1);
      assertThat(read(replica, 0, 4)).isEqualTo("kept");
    }
    assertThat(Replicas.list(directory).get(0).state()).isEqualTo(ReplicaState.CONSISTENT);
    try (Replica replica = open(disks(MIB))) {
      replica.beginSynchronisation(2);
      assertThat(Replicas.list(directory).get(0).state()).isEqualTo(ReplicaState.SYNCING);
    }
  }

  @Test
  void shouldBeginAnewWhenItsRecordCannotBeRead() throws Exception {
    open(disks(MIB)).close();
    Path record = directory.resolve(Guest.UUID).resolve("replica.json");
    Files.writeString(record, "{\"version\":1}");
    assertThat(Replicas.recover(directory).get(0).problem())
        .hasMessageContaining(record.toString());
    assertThat(Replicas.list(directory)).isEmpty();
    try (Replica replica = open(disks(MIB))) {
      assertThat(replica.info().state()).isEqualTo(ReplicaState.SYNCING);
    }
  }

  @Test
  void shouldMakeAHugeDiskZeroAtOnce() throws Exception {
    long bytes = 100L << 30;
    try (Replica replica = open(disks(bytes))) {
      replica.beginSynchronisation(1);
      ByteBuf zeroes = Unpooled.buffer();
      for (long at = 0; at < bytes; at += Integer.MAX_VALUE) {
        DiskRecords.zero(0, at, (int) Math.min(Integer.MAX_VALUE, bytes - at), zeroes);
      }
      replica.synchronise(zeroes);
      replica.stage(1, zeroes);
      replica.commit(1, 1);
      replica.settle();
      assertThat(replica.info().disks().get(0).allocatedBytes()).isLessThan(MIB);
    }
  }

  // ---- refusals

  @Test
  void shouldRefuseAnImageThatAnotherProcessMayWrite() throws Exception {
    Path image;
    try (Replica replica = open(disks(MIB))) {
      image = replica.images().get(0);
    }
    Process other =
        new ProcessBuilder("sh", "-c", "exec 3<>$0; echo; read line", image.toString()).start();
    try {
      assertThat(other.inputReader().readLine()).isEmpty();
      assertThatThrownBy(() -> open(disks(MIB)))
          .isInstanceOf(ReplicaException.class)
          .hasMessageContaining("ledger")
          .hasMessageContaining("process " + other.pid() + " (sh)");
      assertThatThrownBy(() -> open(disks(2 * MIB)))
          .as("before it is replaced")
          .isInstanceOf(ReplicaException.class);
    } finally {
      other.outputWriter().close();
      other.waitFor();
    }
    open(disks(MIB)).close();
  }

  @Test
  void shouldRefuseADeviceThatIsNone() throws Exception {
    Path file = Files.createFile(directory.resolve("file"));
    assertThatThrownBy(() -> open(directory, Guest.UUID, disks(MIB), Map.of("vda", file)))
        .isInstanceOf(ReplicaException.class)
        .hasMessage("VM ledger: " + file + " is no block device on this host");
  }

  @Test
  void shouldKeepADiskOnABlockDevice() throws Exception {
    withLoopDevice(
        device -> {
          Map<String, Path> devices = Map.of("vda", device);
          try (Replica replica = open(directory, Guest.UUID, disks(MIB - 512), devices)) {
            assertThat(replica.images()).containsExactly(device);
            assertThat(replica.blank(0)).as("nobody knows").isFalse();
            replica.beginSynchronisation(1);
            replica.synchronise(write(500_000, "there"));
            ByteBuf zero = Unpooled.buffer();
            DiskRecords.zero(0, 500_001, 2, zero);
            replica.stage(1, zero);
            replica.commit(1, 1);
            assertThat(hashes(replica, 0)).hasSize(16 * BlockHashes.HASH_BYTES);
          }
          Replicas.Recovered found = Replicas.recover(directory).get(0);
          assertThat(found.problem()).isNull();
          assertThat(Arrays.copyOfRange(Files.readAllBytes(device), 500_000, 500_005))
              .isEqualTo("t\0\0re".getBytes(StandardCharsets.US_ASCII));
        });
  }

  @Test
  void shouldRefuseADeviceThatIsTooSmallOrAnothers() throws Exception {
    withLoopDevice(
        device -> {
          Map<String, Path> devices = Map.of("vda", device);
          assertThatThrownBy(() -> open(directory, Guest.UUID, disks(2 * MIB), devices))
              .isInstanceOf(ReplicaException.class)
              .hasMessageContaining("too few for disk vda");
          open(directory, OTHER, disks(MIB), devices).close();
          assertThatThrownBy(() -> open(directory, Guest.UUID, disks(MIB), devices))
              .isInstanceOf(ReplicaException.class)
              .hasMessageContaining("holds disk vda of VM ledger");
        });
  }

  @Test
  void shouldKeepADiskInTheVmsOwnImageAndChangeOnlyWhatItIsTold() throws Exception {
    byte[] old = new byte[MIB];
    new Random(4).nextBytes(old);
    Path image = Files.write(directory.resolve("own.raw"), old);
    Path all = directory.resolve("disks");
    Map<String, Path> own = Map.of("vda", image);

    try (Replica replica = open(all, Guest.UUID, disks(MIB, 5000), Map.of(), own)) {
      assertThat(replica.images().get(0)).isEqualTo(image);
      assertThat(replica.images().get(1)).exists().startsWith(all);
      assertThat(replica.blank(0)).isFalse();
      assertThat(hashes(replica, 0)).isEqualTo(straightforward(old));
      replica.beginSynchronisation(1);
      replica.synchronise(write(500_000, "there"));
      replica.stage(1, write(700_000, "then"));
      replica.commit(1, 1);
      assertThatThrownBy(() -> open(all, OTHER, disks(MIB), Map.of(), own))
          .isInstanceOf(ReplicaException.class)
          .hasMessageContaining("holds disk vda of VM ledger");
    }

    assertThat(Replicas.recover(all).get(0).info().disks().get(0).path()).isEqualTo(image);
    System.arraycopy("there".getBytes(StandardCharsets.US_ASCII), 0, old, 500_000, 5);
    System.arraycopy("then".getBytes(StandardCharsets.US_ASCII), 0, old, 700_000, 4);
    assertThat(Files.readAllBytes(image)).isEqualTo(old);
  }

  @Test
  void shouldRefuseADeviceForTwoDisks() throws Exception {
    withLoopDevice(
        device ->
            assertThatThrownBy(
                    () ->
                        open(
                            directory,
                            Guest.UUID,
                            disks(MIB, MIB),
                            Map.of("vda", device, "vdb", device)))
                .isInstanceOf(ReplicaException.class)
                .hasMessageContaining("disks vda and vdb share"));
  }

  @Test
  void shouldRefuseADeviceThatIsMountedAndTheFileBehindALoopDevice() throws Exception {
    withLoopDevice(
        device -> {
          assumeTrue(run("mkfs.ext2", "-q", device.toString()), "no mkfs.ext2");
          Path mount = Files.createDirectory(directory.resolve("mount"));
          assumeTrue(run("mount", device.toString(), mount.toString()), "cannot mount");
          try {
            assertThatThrownBy(() -> open(directory, Guest.UUID, disks(MIB), Map.of("vda", device)))
                .isInstanceOf(ReplicaException.class)
                .hasMessageContaining("mounted");
          } finally {
            assertThat(run("umount", mount.toString())).isTrue();
          }
        });
    Path image;
    try (Replica replica = open(disks(MIB))) {
      image = replica.images().get(0);
    }
    String device = output("losetup", "--find", "--show", image.toString());
    assertThatThrownBy(() -> open(disks(MIB)))
        .isInstanceOf(ReplicaException.class)
        .hasMessageContaining("loop device " + Path.of(device).getFileName());
    assertThat(run("losetup", "--detach", device)).isTrue();
  }

  // ---- helpers

  private interface DeviceTest {
    void run(Path device) throws Exception;
  }

  private void withLoopDevice(DeviceTest test) throws Exception {
    Path backing = Files.createFile(directory.resolve("backing"));
    try (RandomAccessFile file = new RandomAccessFile(backing.toFile(), "rw")) {
      file.setLength(MIB);
    }
    String device = output("losetup", "--find", "--show", backing.toString());
    assumeTrue(device.startsWith("/dev/"), "no loop devices");
    try {
      test.run(Path.of(device));
    } finally {
      assertThat(run("losetup", "--detach", device)).isTrue();
      Files.delete(backing);
    }
  }

  private static String output(String... command) throws Exception {
    Process process = new ProcessBuilder(command).start();
    try (var out = process.inputReader()) {
      String line = out.readLine();
      process.waitFor();
      return line == null ? "" : line;
    }
  }

  private static boolean run(String... command) throws Exception {
    return new ProcessBuilder(command).start().waitFor() == 0;
  }

  private Replica open(List<DiskImage> disks) throws IOException {
    return open(directory, Guest.UUID, disks, Map.of());
  }

  private Replica open(Path all, String uuid, List<DiskImage> disks, Map<String, Path> devices)
      throws IOException {
    return open(all, uuid, disks, devices, Map.of());
  }

  private Replica open(
      Path all,
      String uuid,
      List<DiskImage> disks,
      Map<String, Path> devices,
      Map<String, Path> ownImages)
      throws IOException {
    return Replica.open(
        all,
        new ReplicaSpec(uuid, "ledger", "hv1", disks, devices, ownImages, "<domain>\n</domain>"),
        Replica.LEAST_JOURNAL_BYTES * 4,
        DiskDurability.MEMORY,
        broken::set);
  }

  private static Replica simulated(SimulatedDisk disk, DiskDurability durability)
      throws IOException {
    return Replica.open(
        disk,
        () -> Instant.ofEpochMilli(1),
        ALL,
        new ReplicaSpec(Guest.UUID, "ledger", "hv1", disks(5000), Map.of(), Map.of(), "<domain/>"),
        Replica.LEAST_JOURNAL_BYTES,
        durability,
        error -> {
          throw new AssertionError(error);
        });
  }

  private static List<DiskImage> disks(long... bytes) {
    List<DiskImage> disks = new ArrayList<>();
    for (long size : bytes) {
      disks.add(new DiskImage("vd" + (char) ('a' + disks.size()), size));
    }
    return disks;
  }

  private static ByteBuf write(int at, String text) {
    ByteBuf records = Unpooled.buffer();
    DiskRecords.write(0, at, Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII), records);
    return records;
  }

  private static String read(Replica replica, int at, int length) throws IOException {
    byte[] all = Files.readAllBytes(replica.images().get(0));
    return new String(all, at, length, StandardCharsets.US_ASCII);
  }

  private static byte[] hashes(Replica replica, int disk) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    replica.hashes(
        disk,
        hashes -> {
          assertThat(hashes.firstBlock()).isEqualTo(all.size() / BlockHashes.HASH_BYTES);
          byte[] bytes = new byte[hashes.hashes().remaining()];
          hashes.hashes().get(bytes);
          all.writeBytes(bytes);
        });
    return all.toByteArray();
  }

  private static byte[] straightforward(byte[] contents) throws Exception {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (int at = 0; at < contents.length; at += BlockHashes.BLOCK_BYTES) {
      int end = Math.min(contents.length, at + BlockHashes.BLOCK_BYTES);
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(Arrays.copyOfRange(contents, at, end));
      all.write(hash, 0, BlockHashes.HASH_BYTES);
    }
    return all.toByteArray();
  }
}
