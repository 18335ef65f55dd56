package io.remus.core.primary;

import static org.assertj.core.api.Assertions.assertThat;

import io.remus.core.control.VmState;
import io.remus.core.epoch.DurableAck;
import io.remus.core.epoch.EpochId;
import io.remus.core.epoch.Term;
import io.remus.core.failover.ArbiterKind;
import io.remus.core.failover.Role;
import io.remus.core.wire.Frame;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A switchover in every order of events: the guest is lost nowhere, left paused nowhere. */
class SwitchoverTest {
  private static final Term TERM = new Term(7);
  private static final PrimaryAction.Persist GIVEN_UP =
      new PrimaryAction.Persist(Role.SUPERSEDED, TERM.next());

  private final PrimaryMachine machine =
      PrimaryMachine.protecting("db", "hv2", TERM, ArbiterKind.NONE);
  private final List<PrimaryAction> actions = new ArrayList<>();

  @BeforeEach
  void protect() {
    machine.start();
    on(
        new PrimaryEvent.Connected(),
        new PrimaryEvent.Prepared(),
        new PrimaryEvent.Synchronised(),
        captured(1),
        ack(1));
    actions.clear();
  }

  private void on(PrimaryEvent... events) {
    for (PrimaryEvent event : events) {
      actions.addAll(machine.on(event));
    }
  }

  private static PrimaryEvent ack(long epoch) {
    return new PrimaryEvent.Acked(DurableAck.of(new Frame.Ack(TERM.number(), epoch)));
  }

  private static PrimaryEvent captured(long epoch) {
    return new PrimaryEvent.Captured(new EpochId(epoch), epoch * 10);
  }

  private void stopGuest() {
    on(new PrimaryEvent.SwitchoverRequested(false));
  }

  /** Up to the point at which the backup may run the guest. */
  private void handOver() {
    stopGuest();
    on(captured(2), captured(3), new PrimaryEvent.EpochsFinished(), ack(2), ack(3));
  }

  /** As {@link #handOver}; then the backup is lost. */
  private void loseTheBackupAfterTheHandOver() {
    handOver();
    actions.clear();
    on(new PrimaryEvent.LinkLost("reset"));
  }

  private long count(Class<? extends PrimaryAction> kind) {
    return actions.stream().filter(kind::isInstance).count();
  }

  private void assertInOrder(PrimaryAction... expected) {
    assertThat(actions).containsSubsequence(expected);
  }

  private void assertRunsOnHere() {
    assertThat(count(PrimaryAction.ResumeGuest.class)).isOne();
    assertThat(count(PrimaryAction.DestroyGuest.class)).isZero();
    assertThat(count(PrimaryAction.HandOver.class)).isZero();
  }

  @Test
  void shouldNoteOnDiskThatTheGuestIsStoppedBeforeItIs() {
    stopGuest();

    assertThat(machine.state()).isEqualTo(VmState.SWITCHING);
    assertInOrder(new PrimaryAction.NoteStop(), new PrimaryAction.StopGuest());
  }

  @Test
  void shouldReleaseAllThatTheGuestSaidBeforeItHandsOver() {
    handOver();

    assertThat(actions)
        .filteredOn(PrimaryAction.Release.class::isInstance)
        .extracting(a -> ((PrimaryAction.Release) a).marker())
        .containsExactly(20L, 30L);
    assertThat(actions).endsWith(GIVEN_UP, new PrimaryAction.HandOver(TERM.next()));
    assertThat(count(PrimaryAction.DestroyGuest.class)).isZero();
  }

  @Test
  void shouldNotHandOverBeforeTheLastEpochIsAcked() {
    stopGuest();
    on(captured(2), captured(3), new PrimaryEvent.EpochsFinished(), ack(2));

    assertThat(actions).doesNotContain(GIVEN_UP);
    assertThat(count(PrimaryAction.HandOver.class)).isZero();
  }

  @Test
  void shouldNotHandOverBetweenTwoEpochs() {
    stopGuest();
    on(captured(2), ack(2));

    assertThat(count(PrimaryAction.HandOver.class)).isZero();
    on(captured(3), ack(3), new PrimaryEvent.EpochsFinished());
    assertThat(count(PrimaryAction.HandOver.class)).isOne();
  }

  @Test
  void shouldDestroyTheStoppedCopyOnlyWhenTheBackupRunsTheGuest() {
    handOver();
    actions.clear();
    on(new PrimaryEvent.PeerNewer(TERM.next()));

    assertInOrder(new PrimaryAction.DestroyGuest(), new PrimaryAction.DropOutput(), GIVEN_UP);
    assertThat(count(PrimaryAction.Unplug.class)).isZero();
    assertThat(machine.ended()).isTrue();
    assertThat(machine.newest()).isEqualTo(TERM.next());
  }

  @Test
  void shouldLetGoOfSharedDisksBeforeItHandsOver() {
    on(new PrimaryEvent.SwitchoverRequested(true));
    on(captured(2), new PrimaryEvent.EpochsFinished(), ack(2));

    assertInOrder(
        GIVEN_UP, new PrimaryAction.DestroyGuest(), new PrimaryAction.HandOver(TERM.next()));
    on(new PrimaryEvent.GuestEnded("destroyed"));
    assertThat(machine.ended()).isFalse();
  }

  @Test
  void shouldStayProtectedWhenTheStopCannotBeNoted() {
    stopGuest();
    on(new PrimaryEvent.SwitchoverRefused("disk full"));
    assertThat(machine.state()).isEqualTo(VmState.PROTECTED);

    actions.clear();
    on(new PrimaryEvent.LinkLost("silent"));
    assertThat(count(PrimaryAction.ResumeGuest.class)).isZero();
  }

  /** What can go wrong while the guest is stopped, or about to be, and is still this host's. */
  static List<PrimaryEvent> mishaps() {
    return List.of(
        new PrimaryEvent.LinkLost("silent"),
        new PrimaryEvent.SwitchoverOverdue(),
        new PrimaryEvent.StandbyFailed("QEMU is gone"),
        new PrimaryEvent.EpochsFailed("the monitor failed"),
        new PrimaryEvent.StopRequested(),
        new PrimaryEvent.StopForced());
  }

  @ParameterizedTest
  @MethodSource("mishaps")
  void shouldLetTheGuestRunOnHereAfterAMishapBeforeItStopped(PrimaryEvent mishap) {
    stopGuest();
    on(mishap);

    assertRunsOnHere();
  }

  @ParameterizedTest
  @MethodSource("mishaps")
  void shouldLetTheGuestRunOnHereAfterAMishapWhileItStandsStill(PrimaryEvent mishap) {
    stopGuest();
    on(captured(2), new PrimaryEvent.EpochsFinished(), mishap);
    on(ack(2));

    assertRunsOnHere();
  }

  @Test
  void shouldKeepOutputHeldWhenTheLinkIsLostWhileTheGuestStandsStill() {
    stopGuest();
    on(captured(2), new PrimaryEvent.EpochsFinished(), new PrimaryEvent.LinkLost("silent"));

    assertThat(machine.state()).isEqualTo(VmState.FENCED);
    assertInOrder(
        new PrimaryAction.HaltEpochs(),
        new PrimaryAction.ResumeGuest(),
        new PrimaryAction.AskPeer());
    assertThat(count(PrimaryAction.Unplug.class)).isZero();
    assertThat(count(PrimaryAction.Release.class)).isZero();
  }

  @Test
  void shouldKeepTheGuestWhenItsNewTermIsNotOnDisk() {
    handOver();
    actions.clear();
    on(new PrimaryEvent.HandOverFailed("disk full"));

    assertRunsOnHere();
    assertInOrder(new PrimaryAction.ResumeGuest(), new PrimaryAction.VoidStandby());
    on(new PrimaryEvent.StandbyVoided());
    assertInOrder(new PrimaryAction.Persist(Role.NONE, TERM), new PrimaryAction.Unplug(), end());
  }

  private static PrimaryAction end() {
    return new PrimaryAction.End();
  }

  @Test
  void shouldHandOverAGuestThatCrashesWhileItMoves() {
    stopGuest();
    on(captured(2), new PrimaryEvent.GuestCrashed("QEMU failed"));

    assertInOrder(
        GIVEN_UP,
        new PrimaryAction.DestroyGuest(),
        new PrimaryAction.DropOutput(),
        new PrimaryAction.HandOver(TERM.next()));
    assertThat(count(PrimaryAction.Release.class)).isZero();
  }

  @Test
  void shouldNotHandOverAGuestThatItsOwnerEndsWhileItMoves() {
    stopGuest();
    on(captured(2), new PrimaryEvent.GuestEnded("destroyed"), ack(2));

    assertThat(count(PrimaryAction.HandOver.class)).isZero();
    assertThat(count(PrimaryAction.VoidStandby.class)).isOne();
  }

  @Test
  void shouldYieldToAClaimWhileTheGuestMovesAndNotTwice() {
    stopGuest();
    on(new PrimaryEvent.PeerClaims(TERM.next()));
    assertThat(count(PrimaryAction.HandOver.class)).isOne();
    assertThat(machine.ended()).isTrue();
  }

  @Test
  void shouldNotDestroyWhatIsHandedOverForALateClaim() {
    handOver();
    on(new PrimaryEvent.PeerClaims(TERM.next()));

    assertThat(count(PrimaryAction.HandOver.class)).isOne();
    assertThat(count(PrimaryAction.DestroyGuest.class)).isZero();
  }

  @Test
  void shouldNeitherResumeNorDestroyWhatIsHandedOverAsLongAsNobodyAnswers() {
    loseTheBackupAfterTheHandOver();
    on(new PrimaryEvent.PeerUnreachable(true), new PrimaryEvent.PeerUnreachable(true));

    assertThat(count(PrimaryAction.AskPeer.class)).isOne();
    assertThat(count(PrimaryAction.AskPeerAgain.class)).isEqualTo(2);
    assertThat(count(PrimaryAction.ResumeGuest.class)).isZero();
    assertThat(count(PrimaryAction.DestroyGuest.class)).isZero();
    assertThat(machine.reason()).contains("remus unprotect db --force");
  }

  @Test
  void shouldHandOverAgainToABackupThatDidNotHearIt() {
    loseTheBackupAfterTheHandOver();
    on(new PrimaryEvent.PeerStandby(true));

    assertInOrder(new PrimaryAction.HandOver(TERM.next()), new PrimaryAction.AskPeerAgain());
    assertThat(count(PrimaryAction.VoidStandby.class)).isZero();
  }

  @Test
  void shouldTakeTheGuestBackFromABackupThatHasGivenItsStandbyUp() {
    loseTheBackupAfterTheHandOver();
    on(new PrimaryEvent.StandbyVoided());

    assertInOrder(
        new PrimaryAction.Persist(Role.NONE, TERM.next()),
        new PrimaryAction.ResumeGuest(),
        new PrimaryAction.Unplug());
    assertRunsOnHere();
    assertThat(machine.state()).isEqualTo(VmState.UNPROTECTED);
  }

  @Test
  void shouldTakeTheGuestBackWhenTheStandbyFailsInsteadOfRunning() {
    handOver();
    actions.clear();
    on(new PrimaryEvent.StandbyFailed("QEMU is gone"));

    assertRunsOnHere();
  }

  @Test
  void shouldNotRunOnWhatIsHandedOverWhenTheAgentStops() {
    handOver();
    actions.clear();
    on(new PrimaryEvent.StopRequested());

    assertThat(actions).isEmpty();
  }

  @Test
  void shouldTakeTheGuestBackWhenTheAdminKnowsThatTheBackupIsOff() {
    loseTheBackupAfterTheHandOver();
    on(new PrimaryEvent.StopForced());

    assertRunsOnHere();
    assertThat(machine.ended()).isTrue();
  }

  @Test
  void shouldAskWhenTheBackupDoesNotSayThatItRunsTheGuest() {
    handOver();
    on(new PrimaryEvent.SwitchoverOverdue());
    assertThat(count(PrimaryAction.AskPeer.class)).isOne();

    on(new PrimaryEvent.PeerNewer(TERM.next()));
    assertThat(count(PrimaryAction.DestroyGuest.class)).isOne();
  }

  @Test
  void shouldOnlySwitchOverWhatIsProtected() {
    on(new PrimaryEvent.LinkLost("silent"));
    actions.clear();
    stopGuest();

    assertThat(actions).isEmpty();
  }
}
