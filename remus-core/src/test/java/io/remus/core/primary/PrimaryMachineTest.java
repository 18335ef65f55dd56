package io.remus.core.primary;

import static org.assertj.core.api.Assertions.assertThat;

import io.remus.core.control.VmState;
import io.remus.core.epoch.DurableAck;
import io.remus.core.epoch.EpochId;
import io.remus.core.epoch.Term;
import io.remus.core.failover.ArbiterKind;
import io.remus.core.failover.Role;
import io.remus.core.failover.Verdict;
import io.remus.core.wire.Frame;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PrimaryMachineTest {
  private static final Term TERM = new Term(7);

  private static final PrimaryEvent GRANTED = new PrimaryEvent.ArbiterSaid(new Verdict.Granted());
  private static final PrimaryEvent DENIED =
      new PrimaryEvent.ArbiterSaid(new Verdict.Denied(TERM.next(), "hv2"));
  private static final PrimaryEvent UNREACHABLE =
      new PrimaryEvent.ArbiterSaid(new Verdict.Unknown("no route", false));

  private PrimaryMachine machine = PrimaryMachine.protecting("db", "hv2", TERM, ArbiterKind.NONE);
  private final List<PrimaryAction> actions = new ArrayList<>();

  private void on(PrimaryEvent... events) {
    for (PrimaryEvent event : events) {
      actions.addAll(machine.on(event));
    }
  }

  private static PrimaryEvent ack(long epoch) {
    return new PrimaryEvent.Acked(DurableAck.of(new Frame.Ack(TERM.number(), epoch)));
  }

  private static PrimaryEvent captured(long epoch, long marker) {
    return new PrimaryEvent.Captured(new EpochId(epoch), marker);
  }

  private void synchronise() {
    actions.addAll(machine.start());
    on(new PrimaryEvent.Connected(), new PrimaryEvent.Prepared(), new PrimaryEvent.Synchronised());
  }

  private void protectWith(ArbiterKind arbiter) {
    machine = PrimaryMachine.protecting("db", "hv2", TERM, arbiter);
    protect();
  }

  private void protect() {
    synchronise();
    on(captured(1, 10), ack(1));
    actions.clear();
  }

  private <A extends PrimaryAction> List<A> all(Class<A> kind) {
    return actions.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  private int indexOf(Class<? extends PrimaryAction> kind) {
    for (int i = 0; i < actions.size(); i++) {
      if (kind.isInstance(actions.get(i))) {
        return i;
      }
    }
    throw new AssertionError("no " + kind.getSimpleName() + " in " + actions);
  }

  @Test
  void shouldPersistItsTermBeforeItConnects() {
    actions.addAll(machine.start());

    assertThat(actions.get(0)).isEqualTo(new PrimaryAction.Persist(Role.PRIMARY, TERM));
    assertThat(indexOf(PrimaryAction.Connect.class)).isPositive();
  }

  @Test
  void shouldHoldOutputBeforeTheFirstEpoch() {
    synchronise();

    assertThat(indexOf(PrimaryAction.Plug.class))
        .isLessThan(indexOf(PrimaryAction.RunEpochs.class));
  }

  @Test
  void shouldBeProtectedOnlyWithTheFirstAck() {
    synchronise();
    on(captured(1, 10));
    assertThat(machine.state()).isEqualTo(VmState.SYNCING);

    on(ack(1));
    assertThat(machine.state()).isEqualTo(VmState.PROTECTED);
  }

  @Test
  void shouldNotReleaseOutputBeforeAck() {
    synchronise();
    on(captured(1, 10), captured(2, 20), captured(3, 30));
    assertThat(all(PrimaryAction.Release.class)).isEmpty();

    on(ack(1));
    assertThat(all(PrimaryAction.Release.class))
        .extracting(PrimaryAction.Release::marker)
        .containsExactly(10L);
  }

  @Test
  void shouldReleaseEachEpochUpToItsOwnMarker() {
    protect();
    on(captured(2, 20), captured(3, 30), ack(2), ack(3));

    assertThat(all(PrimaryAction.Release.class))
        .extracting(PrimaryAction.Release::marker)
        .containsExactly(20L, 30L);
    assertThat(machine.acked()).isEqualTo(new EpochId(3));
  }

  @Test
  void shouldNotReleaseOnAnAckOfAnEpochThatWasNotSent() {
    protect();
    on(captured(2, 20), ack(3));

    assertThat(all(PrimaryAction.Release.class)).isEmpty();
    assertThat(machine.state()).isEqualTo(VmState.FENCED);
  }

  @Test
  void shouldNotReleaseOnAnAckOfAnotherTerm() {
    protect();
    on(captured(2, 20), new PrimaryEvent.Acked(DurableAck.of(new Frame.Ack(TERM.number() - 1, 2))));

    assertThat(all(PrimaryAction.Release.class)).isEmpty();
  }

  @Test
  void shouldKeepOutputHeldUntilThePeerIsKnownNotToRunTheVm() {
    protect();
    on(captured(2, 20), new PrimaryEvent.LinkLost("silent"));

    assertThat(machine.state()).isEqualTo(VmState.FENCED);
    assertThat(all(PrimaryAction.AskPeer.class)).hasSize(1);
    assertThat(all(PrimaryAction.Unplug.class)).isEmpty();
    assertThat(all(PrimaryAction.Release.class)).isEmpty();
  }

  @Test
  void shouldNotReleaseOnAnAckThatComesAfterTheLinkWasGivenUp() {
    protect();
    on(captured(2, 20), new PrimaryEvent.LinkLost("silent"), ack(2));

    assertThat(all(PrimaryAction.Release.class)).isEmpty();
  }

  @Test
  void shouldGoOnAloneWhenTheLostBackupHasVoidedItsStandby() {
    protect();
    on(new PrimaryEvent.LinkLost("silent"), new PrimaryEvent.PeerStandby(true));
    assertThat(all(PrimaryAction.VoidStandby.class)).hasSize(1);
    assertThat(all(PrimaryAction.Unplug.class)).isEmpty();

    on(new PrimaryEvent.StandbyVoided());
    assertThat(machine.state()).isEqualTo(VmState.UNPROTECTED);
    assertThat(all(PrimaryAction.Unplug.class)).hasSize(1);
    assertThat(machine.ended()).isTrue();
  }

  @Test
  void shouldGoOnAloneWhenTheLostBackupAnswersOnNoPath() {
    protect();
    on(new PrimaryEvent.LinkLost("silent"), new PrimaryEvent.PeerUnreachable(true));

    assertThat(machine.state()).isEqualTo(VmState.UNPROTECTED);
    assertThat(all(PrimaryAction.Unplug.class)).hasSize(1);
  }

  @Test
  void shouldGoOnAskingAPeerThatCouldNotBeAskedAndDestroyItsCopyWhenItIsTheOlder() {
    protect();
    on(new PrimaryEvent.LinkLost("silent"), new PrimaryEvent.PeerUnreachable(true));
    assertThat(all(PrimaryAction.AskPeerAgain.class)).hasSize(1);
    assertThat(machine.ended()).isFalse();

    on(new PrimaryEvent.PeerUnreachable(true), new PrimaryEvent.PeerNewer(TERM.next()));
    assertThat(all(PrimaryAction.AskPeerAgain.class)).hasSize(2);
    assertThat(all(PrimaryAction.DestroyGuest.class)).hasSize(1);
    assertThat(machine.ended()).isTrue();
  }

  @Test
  void shouldNeverHandOverOnceOutputWasReleasedWithoutThePeer() {
    protect();
    on(
        new PrimaryEvent.LinkLost("silent"),
        new PrimaryEvent.PeerUnreachable(true),
        new PrimaryEvent.PeerStandby(false));

    assertThat(all(PrimaryAction.HandOver.class)).isEmpty();
    assertThat(all(PrimaryAction.VoidStandby.class)).hasSize(1);
    on(new PrimaryEvent.StandbyVoided());
    assertThat(machine.ended()).isTrue();
  }

  @Test
  void shouldDestroyItsCopyUnseenWhenThePeerHasANewerTerm() {
    protect();
    on(new PrimaryEvent.LinkLost("silent"), new PrimaryEvent.PeerNewer(TERM.next()));

    assertThat(indexOf(PrimaryAction.Persist.class))
        .isLessThan(indexOf(PrimaryAction.DestroyGuest.class));
    assertThat(indexOf(PrimaryAction.DestroyGuest.class))
        .isLessThan(indexOf(PrimaryAction.DropOutput.class));
    assertThat(all(PrimaryAction.Unplug.class)).isEmpty();
    assertThat(all(PrimaryAction.Persist.class))
        .containsExactly(new PrimaryAction.Persist(Role.SUPERSEDED, TERM.next()));
  }

  @Test
  void shouldIgnoreAPeerWhoseTermIsNotNewer() {
    protect();
    on(new PrimaryEvent.LinkLost("silent"), new PrimaryEvent.PeerNewer(TERM));

    assertThat(all(PrimaryAction.DestroyGuest.class)).isEmpty();
  }

  @Test
  void shouldGoOnAtOnceWhenTheBackupIsLostBeforeItCouldPromote() {
    actions.addAll(machine.start());
    on(
        new PrimaryEvent.Connected(),
        new PrimaryEvent.Prepared(),
        new PrimaryEvent.LinkLost("reset"));

    assertThat(machine.state()).isEqualTo(VmState.UNPROTECTED);
    assertThat(all(PrimaryAction.AskPeer.class)).isEmpty();
  }

  @Test
  void shouldAskEvenWhenOnlyAnUnackedFirstEpochWasSent() {
    synchronise();
    on(captured(1, 10), new PrimaryEvent.LinkLost("reset"));

    assertThat(machine.state()).isEqualTo(VmState.FENCED);
  }

  @Test
  void shouldEndInOrderFirstTheStandbyThenTheRules() {
    protect();
    on(captured(2, 20), new PrimaryEvent.StopRequested(), new PrimaryEvent.EpochsFinished());
    assertThat(all(PrimaryAction.VoidStandby.class)).isEmpty();

    on(ack(2));
    assertThat(all(PrimaryAction.VoidStandby.class)).hasSize(1);
    assertThat(all(PrimaryAction.Unplug.class)).isEmpty();

    on(new PrimaryEvent.StandbyVoided());
    assertThat(all(PrimaryAction.Unplug.class)).hasSize(1);
    assertThat(machine.state()).isEqualTo(VmState.UNPROTECTED);
  }

  @Test
  void shouldDestroyItsCopyBeforeItHandsOver() {
    protect();
    on(new PrimaryEvent.FailoverRequested());

    assertThat(indexOf(PrimaryAction.Persist.class))
        .isLessThan(indexOf(PrimaryAction.DestroyGuest.class));
    assertThat(indexOf(PrimaryAction.DropOutput.class))
        .isLessThan(indexOf(PrimaryAction.HandOver.class));
    assertThat(all(PrimaryAction.HandOver.class))
        .containsExactly(new PrimaryAction.HandOver(TERM.next()));
  }

  @Test
  void shouldYieldToAClaimOfANewerTermOnly() {
    protect();
    on(new PrimaryEvent.PeerClaims(TERM));
    assertThat(all(PrimaryAction.HandOver.class)).isEmpty();

    on(new PrimaryEvent.PeerClaims(TERM.next()));
    assertThat(all(PrimaryAction.HandOver.class)).hasSize(1);
  }

  @Test
  void shouldHandOverAGuestThatCrashed() {
    protect();
    on(new PrimaryEvent.GuestCrashed("QEMU failed"));

    assertThat(all(PrimaryAction.HandOver.class)).hasSize(1);
  }

  @Test
  void shouldNotHandOverAGuestThatWasShutDown() {
    protect();
    on(new PrimaryEvent.GuestEnded("shutdown"));

    assertThat(all(PrimaryAction.HandOver.class)).isEmpty();
    assertThat(all(PrimaryAction.VoidStandby.class)).hasSize(1);
  }

  @Test
  void shouldStayFencedAfterAReturnAsLongAsNobodyAnswers() {
    PrimaryMachine returning = PrimaryMachine.returning("db", "hv2", TERM, ArbiterKind.NONE);
    assertThat(returning.start()).containsExactly(new PrimaryAction.AskPeer());

    for (int i = 0; i < 3; i++) {
      assertThat(returning.on(new PrimaryEvent.PeerUnreachable(true)))
          .containsExactly(new PrimaryAction.AskPeerAgain());
    }
    assertThat(returning.state()).isEqualTo(VmState.FENCED);
    assertThat(returning.reason()).contains("remus unprotect db --force");
  }

  @Test
  void shouldHandOverAfterAReturnWithoutItsGuest() {
    PrimaryMachine returning = PrimaryMachine.returning("db", "hv2", TERM, ArbiterKind.NONE);
    returning.start();

    assertThat(returning.on(new PrimaryEvent.PeerStandby(false)))
        .contains(new PrimaryAction.HandOver(TERM.next()));
  }

  @Test
  void shouldLetTheAdminEndAFencedVmByForce() {
    PrimaryMachine returning = PrimaryMachine.returning("db", "hv2", TERM, ArbiterKind.NONE);
    returning.start();

    assertThat(returning.on(new PrimaryEvent.StopForced())).contains(new PrimaryAction.Unplug());
    assertThat(returning.ended()).isTrue();
  }

  @Test
  void shouldDoNothingMoreWhenEnded() {
    protect();
    on(new PrimaryEvent.StopForced());
    actions.clear();

    on(captured(9, 90), ack(9), new PrimaryEvent.LinkLost("late"));
    assertThat(actions).isEmpty();
  }

  @Test
  void shouldTellWhyABackupRefused() {
    actions.addAll(machine.start());
    on(new PrimaryEvent.Connected(), new PrimaryEvent.Refused("no bridge br7"));

    assertThat(machine.state()).isEqualTo(VmState.UNPROTECTED);
    assertThat(machine.reason()).contains("no bridge br7");
  }

  @Test
  void shouldVoidTheStandbyWhenEpochsCannotGoOn() {
    protect();
    on(new PrimaryEvent.EpochsFailed("state too large"));

    assertThat(all(PrimaryAction.VoidStandby.class)).hasSize(1);
    on(new PrimaryEvent.StandbyVoided());
    assertThat(machine.state()).isEqualTo(VmState.UNPROTECTED);
    assertThat(machine.reason()).contains("state too large");
  }

  @Test
  void shouldVoidAStandbyThatNoLongerFitsBeforeItReleasesWhatWaits() {
    protect();
    on(captured(2, 20), new PrimaryEvent.GuestChanged("new: interface"));
    assertThat(machine.state()).isEqualTo(VmState.STOPPING);
    assertThat(all(PrimaryAction.VoidStandby.class)).hasSize(1);
    assertThat(all(PrimaryAction.Unplug.class)).isEmpty();

    on(new PrimaryEvent.StandbyVoided());
    assertThat(all(PrimaryAction.Unplug.class)).hasSize(1);
    assertThat(machine.state()).isEqualTo(VmState.UNPROTECTED);
    assertThat(machine.reason()).isEqualTo("new: interface");
  }

  @Test
  void shouldVoidTheStandbyOnceWhenEpochsFailWhileTheyAreBeingEnded() {
    protect();
    on(captured(2, 20), new PrimaryEvent.StopRequested());
    on(new PrimaryEvent.EpochsFailed("QEMU does not answer"));
    assertThat(all(PrimaryAction.VoidStandby.class)).hasSize(1);

    on(ack(2));
    assertThat(all(PrimaryAction.VoidStandby.class)).hasSize(1);
    on(new PrimaryEvent.StandbyVoided());
    assertThat(machine.state()).isEqualTo(VmState.UNPROTECTED);
  }

  @Test
  void shouldAskTheArbiterAtOnceAndReleaseNothingBeforeItsAnswer() {
    protectWith(ArbiterKind.ETCD);
    on(captured(2, 20), new PrimaryEvent.LinkLost("silent"));
    assertThat(all(PrimaryAction.AskArbiter.class)).hasSize(1);
    assertThat(all(PrimaryAction.AskPeer.class)).hasSize(1);
    assertThat(all(PrimaryAction.Unplug.class)).isEmpty();

    on(GRANTED);
    assertThat(all(PrimaryAction.Unplug.class)).hasSize(1);
    assertThat(machine.state()).isEqualTo(VmState.UNPROTECTED);
    assertThat(machine.ended()).isTrue();
  }

  @Test
  void shouldReleaseNothingWhileNeitherPeerNorArbiterCanBeAsked() {
    protectWith(ArbiterKind.ETCD);
    on(new PrimaryEvent.LinkLost("silent"));
    for (int i = 0; i < 3; i++) {
      on(UNREACHABLE, new PrimaryEvent.PeerUnreachable(true));
    }

    assertThat(machine.state()).isEqualTo(VmState.FENCED);
    assertThat(machine.reason()).contains("no route", "remus unprotect db --force");
    assertThat(all(PrimaryAction.Unplug.class)).isEmpty();
    assertThat(all(PrimaryAction.AskArbiter.class)).hasSize(4);
    assertThat(all(PrimaryAction.AskPeerAgain.class)).hasSize(3);
  }

  @Test
  void shouldNotDestroyItsCopyOnTheArbitersWordAlone() {
    protectWith(ArbiterKind.ETCD);
    on(new PrimaryEvent.LinkLost("silent"), DENIED);
    assertThat(machine.state()).isEqualTo(VmState.FENCED);
    assertThat(all(PrimaryAction.Unplug.class)).isEmpty();
    assertThat(all(PrimaryAction.DestroyGuest.class)).isEmpty();

    on(new PrimaryEvent.PeerNewer(TERM.next()));
    assertThat(all(PrimaryAction.DestroyGuest.class)).hasSize(1);
  }

  @Test
  void shouldGoOnWhenThePeerThatWasGrantedTheVmGaveItUpUnseen() {
    protectWith(ArbiterKind.ETCD);
    on(new PrimaryEvent.LinkLost("silent"), DENIED, new PrimaryEvent.StandbyVoided());

    assertThat(machine.state()).isEqualTo(VmState.UNPROTECTED);
    assertThat(all(PrimaryAction.Unplug.class)).hasSize(1);
  }

  @Test
  void shouldFenceOnlyAPeerThatAnswersOnNoPath() {
    protectWith(ArbiterKind.FENCE);
    on(new PrimaryEvent.LinkLost("silent"));
    assertThat(all(PrimaryAction.AskArbiter.class)).isEmpty();

    on(new PrimaryEvent.PeerUnreachable(true), new PrimaryEvent.PeerUnreachable(true));
    assertThat(all(PrimaryAction.AskArbiter.class)).hasSize(1);
    assertThat(all(PrimaryAction.Unplug.class)).isEmpty();
  }

  @Test
  void shouldLeaveItsRightToTheStandbyWhenItCameBackWithoutItsGuest() {
    PrimaryMachine returning = PrimaryMachine.returning("db", "hv2", TERM, ArbiterKind.ETCD);
    returning.start();

    assertThat(returning.on(new PrimaryEvent.PeerUnreachable(false)))
        .containsExactly(new PrimaryAction.AskPeerAgain());
    assertThat(returning.reason()).contains("remus recover db");
  }

  @Test
  void shouldGoOnWithTheGuestThatAnAgentLeftWhenTheArbiterAllowsIt() {
    PrimaryMachine returning = PrimaryMachine.returning("db", "hv2", TERM, ArbiterKind.ETCD);
    returning.start();

    assertThat(returning.on(new PrimaryEvent.PeerUnreachable(true)))
        .contains(new PrimaryAction.AskArbiter());
    assertThat(returning.on(GRANTED)).contains(new PrimaryAction.Unplug());
  }

  @Test
  void shouldLeaveAGuestThatDiedWhileFencedToTheStandby() {
    protectWith(ArbiterKind.FENCE);
    on(
        new PrimaryEvent.LinkLost("silent"),
        new PrimaryEvent.GuestCrashed("QEMU failed"),
        new PrimaryEvent.PeerUnreachable(false));
    assertThat(all(PrimaryAction.AskArbiter.class)).isEmpty();

    on(new PrimaryEvent.PeerStandby(false));
    assertThat(all(PrimaryAction.HandOver.class)).hasSize(1);
  }

  @Test
  void shouldNoteThatItGoesOnAloneBeforeItReleasesOutput() {
    protectWith(ArbiterKind.ETCD);
    on(new PrimaryEvent.LinkLost("silent"), GRANTED);

    assertThat(all(PrimaryAction.Persist.class))
        .containsExactly(new PrimaryAction.Persist(Role.NONE, TERM));
    assertThat(indexOf(PrimaryAction.Persist.class))
        .isLessThan(indexOf(PrimaryAction.Unplug.class));
  }

  @Test
  void shouldHandOverAGuestThatDiedWhileTheArbiterWasAsked() {
    protectWith(ArbiterKind.ETCD);
    on(new PrimaryEvent.LinkLost("silent"), new PrimaryEvent.GuestCrashed("QEMU failed"), GRANTED);

    assertThat(all(PrimaryAction.HandOver.class))
        .containsExactly(new PrimaryAction.HandOver(TERM.next()));
    assertThat(all(PrimaryAction.Unplug.class)).isEmpty();
  }
}
