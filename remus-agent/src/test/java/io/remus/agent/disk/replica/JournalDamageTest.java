package io.remus.agent.disk.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.remus.core.control.DiskDurability;
import io.remus.core.wire.DiskImage;
import io.remus.core.wire.DiskRecords;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A journal cut at every byte, and with every byte changed. */
class JournalDamageTest {
  private static final Path ALL = Path.of("/disks");
  private static final Path OWN = ALL.resolve(Guest.UUID);
  private static final Path SEGMENT = OWN.resolve("journal-1.log");
  private static final List<DiskImage> DISKS =
      List.of(new DiskImage("vda", 3000), new DiskImage("vdb", 1000));

  private final SimulatedDisk disk = new SimulatedDisk(new Random(1));
  private final Guest guest = new Guest(new Random(2), DISKS);

  /** By epoch: what the disks hold, and where its commit record ends. */
  private final List<List<byte[]>> contents = new ArrayList<>();

  private final List<Integer> ends = new ArrayList<>();
  private Map<Path, byte[]> files;

  @Test
  void shouldEndAtTheLastWholeEpochOfAJournalCutAtAnyByte() throws Exception {
    live(DiskDurability.MEMORY, 7);
    byte[] journal = files.get(SEGMENT);
    for (int cut = 0; cut <= journal.length; cut++) {
      recoverWith(Arrays.copyOf(journal, cut), lastBefore(cut), cut);
    }
  }

  @Test
  void shouldEndBeforeAnyChangedByteOfATailThatWasNotForced() throws Exception {
    live(DiskDurability.MEMORY, 7);
    byte[] journal = files.get(SEGMENT);
    for (int at = 0; at < journal.length; at++) {
      recoverWith(changed(journal, at), lastBefore(at), at);
    }
  }

  @Test
  void shouldRefuseAChangedByteThatWasOnDiskWhenALaterCommitWasMade() throws Exception {
    live(DiskDurability.JOURNAL, 7);
    byte[] journal = files.get(SEGMENT);
    int lastForced = ends.get(6);
    for (int at = 0; at < journal.length; at++) {
      recoverWith(changed(journal, at), at < lastForced ? 0 : 6, at);
    }
  }

  @Test
  void shouldRefuseASegmentThatIsMissingOrShortenedBeforeAnother() throws Exception {
    live(DiskDurability.MEMORY, 40);
    Path second = OWN.resolve("journal-2.log");
    assertThat(files).as("a journal of several segments").containsKey(second);
    recoverWith(files.get(SEGMENT), 40, 0);

    Map<Path, byte[]> without = new HashMap<>(files);
    without.remove(SEGMENT);
    expectDamage(without, OWN);

    Map<Path, byte[]> shortened = new HashMap<>(files);
    shortened.put(SEGMENT, Arrays.copyOf(files.get(SEGMENT), ends.get(3)));
    expectDamage(shortened, OWN);
  }

  @Test
  void shouldRefuseTheJournalOfAnotherVm() throws Exception {
    live(DiskDurability.MEMORY, 2);
    Map<Path, byte[]> other = new HashMap<>(files);
    byte[] journal = files.get(SEGMENT).clone();
    journal[40] ^= 1;
    other.put(SEGMENT, journal);
    expectDamage(other, SEGMENT);
  }

  @Test
  void shouldNotTakeWhatAGuestWroteForARecord() throws Exception {
    live(DiskDurability.JOURNAL, 3);
    byte[] journal = files.get(SEGMENT).clone();
    ByteBuf copy = Unpooled.buffer();
    DiskRecords.write(
        0, 0, Unpooled.wrappedBuffer(journal, ends.get(3) - 200, 200), copy); // with a commit
    setUp(DiskDurability.MEMORY);
    int first;
    try (Replica replica = open(DiskDurability.MEMORY)) {
      replica.beginSynchronisation(1);
      replica.commit(1, 1);
      first = (int) replica.journalBytes();
      replica.stage(2, copy);
      replica.commit(1, 2);
    }
    Map<Path, byte[]> torn = disk.snapshot();
    Path segment = segment(torn);
    byte[] bytes = torn.get(segment).clone();
    bytes[first + 20] ^= 1; // before the copy, in what was not forced
    torn.put(segment, bytes);
    disk.restore(torn);

    Replicas.Recovered found = Replicas.recover(disk, ALL).get(0);

    assertThat(found.problem()).isNull();
    assertThat(found.info().epoch()).isEqualTo(1);
  }

  @Test
  void shouldNotTakeWhatADiscardedEpochLeftForPartOfTheNext() throws Exception {
    setUp(DiskDurability.MEMORY);
    byte[] discarded;
    int first;
    int second;
    try (Replica replica = open(DiskDurability.MEMORY)) {
      guest.uniform(true);
      replica.beginSynchronisation(1);
      replica.commit(1, 1);
      first = (int) replica.journalBytes();
      replica.stage(2, guest.write(1, 700));
      second = (int) replica.journalBytes();
      replica.stage(2, guest.write(1, 700));
      discarded = disk.contents(SEGMENT);
      replica.discard();
      replica.stage(2, guest.write(1, 700));
      replica.stage(2, guest.write(1, 700));
      replica.commit(1, 2);
    }
    Map<Path, byte[]> mixed = disk.snapshot();
    byte[] journal = mixed.get(SEGMENT).clone();
    System.arraycopy(discarded, first, journal, first, second - first);
    mixed.put(SEGMENT, journal);
    disk.restore(mixed);

    Replicas.Recovered found = Replicas.recover(disk, ALL).get(0);

    assertThat(found.problem()).isNull();
    assertThat(found.info().epoch()).isEqualTo(1);
  }

  private static Path segment(Map<Path, byte[]> all) {
    return all.keySet().stream()
        .filter(file -> file.getFileName().toString().startsWith("journal-"))
        .findFirst()
        .orElseThrow();
  }

  private void setUp(DiskDurability durability) throws IOException {
    disk.restore(Map.of());
    contents.clear();
    ends.clear();
    open(durability).close();
  }

  private Replica open(DiskDurability durability) throws IOException {
    return Replica.open(
        disk,
        () -> Instant.ofEpochMilli(1),
        ALL,
        new ReplicaSpec(Guest.UUID, "ledger", "hv1", DISKS, Map.of(), Map.of(), "<domain/>"),
        Replica.LEAST_JOURNAL_BYTES,
        durability,
        error -> {
          throw new AssertionError(error);
        });
  }

  /** Nothing is applied: everything is in the journal. */
  private void live(DiskDurability durability, int epochs) throws IOException {
    setUp(durability);
    try (Replica replica = open(durability)) {
      replica.beginSynchronisation(1);
      contents.add(guest.contents());
      ends.add(0);
      for (int epoch = 1; epoch <= epochs; epoch++) {
        if (durability == DiskDurability.JOURNAL || epoch != 4) {
          replica.stage(epoch, guest.write(2, 400));
          replica.stage(epoch, guest.write(1, 400));
        }
        replica.commit(1, epoch);
        contents.add(guest.contents());
        ends.add((int) replica.journalBytes());
      }
    }
    files = disk.snapshot();
  }

  /** The first epoch was on disk when it was committed: before it there is none. */
  private int lastBefore(int at) {
    int epoch = 0;
    while (epoch + 1 < ends.size() && ends.get(epoch + 1) <= at) {
      epoch++;
    }
    return epoch;
  }

  private static byte[] changed(byte[] bytes, int at) {
    byte[] changed = bytes.clone();
    changed[at] ^= (byte) (1 + at % 255);
    return changed;
  }

  private void recoverWith(byte[] journal, int epoch, int at) throws IOException {
    Map<Path, byte[]> all = new HashMap<>(files);
    all.put(SEGMENT, journal);
    if (epoch == 0) {
      expectDamage(all, SEGMENT);
      return;
    }
    disk.restore(all);
    Replicas.Recovered found = Replicas.recover(disk, ALL).get(0);
    assertThat(found.problem()).as("at byte %d", at).isNull();
    assertThat(found.info().epoch()).as("at byte %d", at).isEqualTo(epoch);
    for (int i = 0; i < DISKS.size(); i++) {
      assertThat(Arrays.equals(disk.contents(image(i)), contents.get(epoch).get(i))).isTrue();
    }
    assertThat(disk.exists(SEGMENT)).isFalse();
  }

  private void expectDamage(Map<Path, byte[]> all, Path named) throws IOException {
    disk.restore(all);
    Replicas.Recovered found = Replicas.recover(disk, ALL).get(0);
    assertThat(found.problem())
        .isInstanceOf(DamagedJournalException.class)
        .hasMessageContaining(named.toString());
    for (int i = 0; i < DISKS.size(); i++) {
      assertThat(Arrays.equals(disk.contents(image(i)), all.get(image(i))))
          .as("untouched")
          .isTrue();
    }
    assertThat(disk.exists(OWN.resolve(RecordFile.NAME))).isTrue();
  }

  private static Path image(int i) {
    return OWN.resolve(DISKS.get(i).target() + ".raw");
  }
}
