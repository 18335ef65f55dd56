package io.remus.agent.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.remus.agent.disk.SourceHashes;
import io.remus.agent.disk.WriteLog;
import io.remus.agent.guest.DiskSource;
import io.remus.agent.nativeio.Arena;
import io.remus.agent.nativeio.Encoder;
import io.remus.agent.nativeio.MemoryBlock;
import io.remus.agent.nativeio.OwnPages;
import io.remus.agent.nativeio.PageHashes;
import io.remus.agent.nativeio.StandbyMemory;
import io.remus.agent.nativeio.Tracker;
import io.remus.agent.nativeio.TrackerKind;
import io.remus.core.control.VerificationReport;
import io.remus.core.control.VerificationReport.Difference;
import io.remus.core.control.VerificationReport.Disk;
import io.remus.core.epoch.EpochId;
import io.remus.core.epoch.Term;
import io.remus.core.wire.Frame;
import io.remus.core.wire.RamBlock;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A guest and its standby in this process: both sides of a comparison, frame by frame. */
class VerificationTest {
  private static final int PAGES = 600; // three sums
  private static final long BYTES = (long) PAGES * MemoryBlock.PAGE;
  private static final Term TERM = new Term(3);

  private final OwnPages guest = new OwnPages(PAGES);
  private final OwnPages standby = new OwnPages(PAGES);
  private final Deque<Frame> toBackup = new ArrayDeque<>();
  private final Deque<Frame> toPrimary = new ArrayDeque<>();
  private final Deque<Runnable> later = new ArrayDeque<>();
  private Tracker tracker;
  private Arena arena;
  private Encoder encoder;
  private StandbyMemory memory;
  private PrimaryVerification primary;
  private StandbyVerification backup;
  private EpochId epoch = EpochId.FIRST;

  @BeforeEach
  void start() throws Exception {
    tracker = new Tracker(OwnPages.pid(), TrackerKind.SHADOW, guest.blocks());
    arena = new Arena(BYTES);
    encoder = new Encoder(BYTES);
    memory = new StandbyMemory(OwnPages.pid(), standby.blocks());
    memory.blank();
    primary =
        new PrimaryVerification(
            "ledger",
            "hv2",
            List.of(new RamBlock("pc.ram", BYTES)),
            new SourceHashes(
                "ledger",
                new WriteLog(1),
                List.of(new DiskSource("vda", 1 << 20, null, "format qcow2")),
                () -> {}),
            new PageHashes(OwnPages.pid(), guest.blocks()),
            toBackup::add);
    primary.start(TERM);
    assertThat(toBackup.remove()).isEqualTo(new Frame.Verify(3, 0));
    backup =
        new StandbyVerification(
            OwnPages.pid(),
            standby.blocks(),
            memory,
            new ReplicaVerification("ledger", null, toPrimary::add, this::fail),
            TERM,
            toPrimary::add,
            (delayMs, work) -> later.add(work));
  }

  @AfterEach
  void end() {
    primary.epochsEnded();
    backup.close();
    memory.close();
    encoder.close();
    arena.close();
    tracker.close();
  }

  @Test
  void shouldFindTheStandbyEqualWhileTheGuestWrites() throws Exception {
    VerificationReport report = compare();

    assertThat(report.equal()).isTrue();
    assertThat(report.epoch()).isEqualTo(epoch.number());
    assertThat(report.memory().pieces()).isEqualTo(3);
    assertThat(report.memory().bytes()).isEqualTo(BYTES);
    assertThat(report.disks()).containsExactly(Disk.notCompared("vda", "format qcow2"));
    assertThat(primary.isOver()).isTrue();
  }

  @Test
  void shouldFindAByteThatChangedBehindItsBack() throws Exception {
    guest.fill(300, 5);
    runEpoch();
    standby.poke(300, 17, guest.page(300)[17] + 1);

    VerificationReport report = compare();

    assertThat(report.equal()).isFalse();
    assertThat(report.memory().differences())
        .containsExactly(new Difference("pc.ram", 1 << 20, 1 << 20));
  }

  @Test
  void shouldAskForNoEpochBeforeBothSidesAreThrough() throws Exception {
    hashPrimary();
    assertThat(runEpoch()).isTrue();
    assertThat(toBackup).isEmpty();
    assertThat(primary.progress().percent()).isEqualTo(100);
    assertThat(primary.progress().standbyHashed()).isFalse();

    hashBackup();
    assertThat(toPrimary).containsExactly(new Frame.Hashed(3));
    primary.hear(toPrimary.remove());
    assertThat(runEpoch()).as("its disks settle").isTrue();
    assertThat(runEpoch()).isTrue();
    assertThat(runEpoch()).isFalse();

    assertThat(toBackup).containsExactly(new Frame.VerifyEpoch(epoch.number()));
  }

  @Test
  void shouldEndWithoutAnAnswerWhenTheProtectionEnds() {
    primary.linkClosed();

    expectFailure("the connection to hv2 was lost meanwhile");
    assertThat(primary.isOver()).isFalse();
    assertThat(primary.sent(epoch, 0)).as("wanted by the loop").isFalse();
    assertThat(primary.isOver()).isTrue();
  }

  @Test
  void shouldEndWithoutAnAnswerWhenTheEpochsEnd() {
    primary.epochsEnded();

    expectFailure("its protection ended meanwhile");
    assertThat(primary.isOver()).isTrue();
  }

  @Test
  void shouldSayWhyTheBackupCannotAnswer() {
    primary.hear(new Frame.Unverified("it is at epoch 4, not 5"));

    expectFailure("hv2 cannot say what its standby holds: it is at epoch 4, not 5");
  }

  @Test
  void shouldNotTakeAnAnswerThatItDidNotAskFor() throws Exception {
    compareUntilAsked();
    backup.tell(epoch.number() + 1);
    primary.hear(toPrimary.remove());

    expectFailure("hv2 answered what it was not asked");
  }

  private void fail(String why) {
    toPrimary.add(new Frame.Unverified(why));
  }

  private void expectFailure(String reason) {
    assertThatThrownBy(() -> primary.report().get())
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(VerificationException.class)
        .hasMessageContaining(reason);
  }

  private VerificationReport compare() throws Exception {
    compareUntilAsked();
    backup.tell(epoch.number());
    primary.hear(toPrimary.remove());
    assertThat(primary.report()).isDone();
    return primary.report().get();
  }

  private void compareUntilAsked() throws Exception {
    backup.work();
    for (int page = 0; primary.work(); page += 7) {
      guest.fill(page % PAGES, page);
      assertThat(runEpoch()).isTrue();
      guest.fill((page + 350) % PAGES, page + 1);
      later.remove().run();
    }
    hashBackup();
    primary.hear(toPrimary.remove());
    do {
      guest.fill(599, 1);
    } while (runEpoch());
    assertThat(toBackup.remove()).isEqualTo(new Frame.VerifyEpoch(epoch.number()));
  }

  private void hashPrimary() {
    while (primary.work()) {
      assertThat(primary.progress().percent()).isLessThan(100);
    }
  }

  private void hashBackup() {
    later.add(backup::work);
    while (toPrimary.isEmpty()) {
      later.remove().run();
    }
  }

  /** Captures, sends, applies. Returns whether the comparison wants more. */
  private boolean runEpoch() throws Exception {
    epoch = epoch.next();
    tracker.scan();
    assertThat(tracker.copy(arena)).isZero();
    ByteBuf records = Unpooled.directBuffer(2 * (int) BYTES, 2 * (int) BYTES);
    try {
      while (encoder.encode(arena, records, false, false)) {
        assertThat(records.isReadable()).isTrue();
      }
      memory.apply(records);
    } finally {
      records.release();
    }
    primary.captured(arena);
    return primary.sent(epoch, 0);
  }
}
