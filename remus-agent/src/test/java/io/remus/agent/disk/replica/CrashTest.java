package io.remus.agent.disk.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.remus.core.control.DiskDurability;
import io.remus.core.wire.DiskImage;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Histories by chance that end at any operation of the disk: afterwards the images are at one
 * epoch, and at none before what was promised.
 */
class CrashTest {
  private static final int HISTORIES = Integer.getInteger("histories", 600);
  private static final Path ALL = Path.of("/disks");
  private static final Path OWN = ALL.resolve(Guest.UUID);
  private static final List<DiskImage> DISKS =
      List.of(new DiskImage("vda", 20_000), new DiskImage("vdb", 7_000));
  private static final ReplicaSpec SPEC =
      new ReplicaSpec(Guest.UUID, "ledger", "hv1", DISKS, Map.of(), Map.of(), "<domain/>");

  private enum End {
    KILL,
    POWER_CUT,
    /** A power cut may follow while the next agent recovers. */
    EITHER
  }

  private record Boundary(long term, long epoch, List<byte[]> contents) {}

  @ParameterizedTest
  @CsvSource({
    "MEMORY, KILL",
    "MEMORY, POWER_CUT",
    "JOURNAL, KILL",
    "JOURNAL, POWER_CUT",
    "MEMORY, EITHER",
    "JOURNAL, EITHER"
  })
  void shouldBeAtOneEpochWhateverEndsTheHistory(DiskDurability durability, End end) {
    for (long seed = 1; seed <= HISTORIES; seed++) {
      try {
        new History(seed, durability, end).run();
      } catch (IOException | RuntimeException | AssertionError e) {
        throw new AssertionError("seed %d, %s, %s".formatted(seed, durability, end), e);
      }
    }
  }

  private static final class History {
    private final Random random;
    private final DiskDurability durability;
    private final End end;
    private final SimulatedDisk disk;
    private final Guest guest;
    private final List<Boundary> boundaries = new ArrayList<>();
    private Replica replica;
    private long term;

    /**
     * Places in {@link #boundaries} before which recovery must not fall; -1 when it may find none.
     */
    private int killedAtLeast = -1;

    private int cutAtLeast = -1;
    private boolean mayBeSyncing = true;
    private boolean mayBeActive;
    private boolean mustBeActive;
    private boolean wasCut;

    History(long seed, DiskDurability durability, End end) {
      random = new Random(seed);
      this.durability = durability;
      this.end = end;
      disk = new SimulatedDisk(random);
      guest = new Guest(random, DISKS);
      guest.uniform(random.nextInt(3) == 0);
    }

    void run() throws IOException {
      int rounds = 1 + random.nextInt(3);
      for (int i = 0; i < rounds; i++) {
        wasCut = false;
        disk.endAfter(random.nextInt(1 << (2 + random.nextInt(9))));
        try {
          live();
        } catch (SimulatedDisk.Gone e) {
          // as it must
        }
        if (replica != null) {
          replica.close();
        }
        crash();
        recover();
      }
    }

    private void live() throws IOException {
      replica = null;
      replica =
          Replica.open(
              disk,
              () -> Instant.ofEpochMilli(1),
              ALL,
              SPEC,
              Replica.LEAST_JOURNAL_BYTES,
              durability,
              error -> {
                throw new AssertionError(error);
              });
      int synchronisations = 1 + random.nextInt(2);
      for (int i = 0; i < synchronisations; i++) {
        synchronise();
        long epoch = 1L + random.nextInt(5);
        for (int left = random.nextInt(60); left > 0; left--) {
          epoch(epoch++);
        }
        if (random.nextInt(3) == 0) {
          settle();
        }
      }
      if (random.nextInt(3) == 0 && !boundaries.isEmpty()) {
        settle();
        mayBeActive = true;
        replica.activated(term + 1);
        mustBeActive = true;
      }
    }

    private void synchronise() throws IOException {
      mayBeSyncing = true;
      replica.beginSynchronisation(++term);
      boundaries.clear();
      killedAtLeast = -1;
      cutAtLeast = -1;
      mayBeActive = false;
      mustBeActive = false;
      guest.become(images());
      for (int i = random.nextInt(10); i > 0; i--) {
        replica.synchronise(guest.write(1 + random.nextInt(5), 3000));
        maybeApply();
      }
    }

    private void epoch(long epoch) throws IOException {
      List<byte[]> before = guest.contents();
      boolean wrote = stage(epoch);
      if (random.nextInt(8) == 0) {
        replica.discard();
        guest.become(before);
        wrote = random.nextBoolean() && stage(epoch);
      }
      maybeApply();
      boundaries.add(new Boundary(term, epoch, guest.contents()));
      replica.commit(term, epoch);
      int here = boundaries.size() - 1;
      killedAtLeast = here;
      if (here == 0 || cutAtLeast < 0 || (durability == DiskDurability.JOURNAL && wrote)) {
        cutAtLeast = here;
      }
      mayBeSyncing = false;
      maybeApply();
    }

    private boolean stage(long epoch) throws IOException {
      int chunks = random.nextInt(4);
      for (int i = 0; i < chunks; i++) {
        replica.stage(epoch, guest.write(1 + random.nextInt(4), 1500));
      }
      return chunks > 0;
    }

    private void settle() throws IOException {
      replica.settle();
      assertThat(replica.unappliedBytes()).isZero();
      assertThat(replica.journalBytes()).isZero();
      cutAtLeast = killedAtLeast;
    }

    private void maybeApply() throws IOException {
      if (random.nextInt(3) == 0) {
        replica.applySome(random.nextInt(20_000));
      }
    }

    private void crash() {
      if (end == End.POWER_CUT || (end == End.EITHER && random.nextBoolean())) {
        disk.cutPower();
        wasCut = true;
      } else {
        disk.restartProcess();
      }
    }

    /** Which may be ended as well, and then begins again. */
    private void recover() throws IOException {
      List<Replicas.Recovered> found = null;
      while (found == null) {
        if (random.nextInt(3) == 0) {
          disk.endAfter(random.nextInt(60));
        }
        try {
          found = Replicas.recover(disk, ALL);
        } catch (SimulatedDisk.Gone e) {
          crash();
        }
      }
      disk.restartProcess();
      if (found.isEmpty()) {
        assertThat(mayBeSyncing).as("nothing is there").isTrue();
        return;
      }
      assertThat(found).hasSize(1);
      assertThat(found.get(0).problem()).isNull();
      judge(found.get(0).info());
    }

    private void judge(ReplicaInfo info) {
      switch (info.state()) {
        case SYNCING -> assertThat(mayBeSyncing).as("synchronisation is forgotten").isTrue();
        case ACTIVE -> {
          assertThat(mayBeActive).isTrue();
          expect(boundaries.get(boundaries.size() - 1));
        }
        case CONSISTENT -> {
          assertThat(mustBeActive).as("a guest wrote the images").isFalse();
          int here = place(info);
          assertThat(here).isGreaterThanOrEqualTo(wasCut ? cutAtLeast : killedAtLeast);
          expect(boundaries.get(here));
          mayBeSyncing = false;
          cutAtLeast = here;
          killedAtLeast = here;
          boundaries.subList(here + 1, boundaries.size()).clear();
        }
      }
    }

    private int place(ReplicaInfo info) {
      for (int i = 0; i < boundaries.size(); i++) {
        Boundary boundary = boundaries.get(i);
        if (boundary.term() == info.term() && boundary.epoch() == info.epoch()) {
          return i;
        }
      }
      throw new AssertionError("no such epoch: " + info.term() + ", " + info.epoch());
    }

    private void expect(Boundary boundary) {
      assertThat(Arrays.deepEquals(images().toArray(), boundary.contents().toArray()))
          .as("images are those of epoch %d", boundary.epoch())
          .isTrue();
    }

    private List<byte[]> images() {
      return DISKS.stream()
          .map(image -> disk.contents(OWN.resolve(image.target() + ".raw")))
          .toList();
    }
  }
}
