package io.remus.core.standby;

import static org.assertj.core.api.Assertions.assertThat;

import io.remus.core.control.VmState;
import io.remus.core.epoch.EpochId;
import io.remus.core.epoch.Term;
import io.remus.core.failover.Role;
import io.remus.core.failover.Verdict;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StandbyMachineTest {
  private static final Term TERM = new Term(4);
  private static final StandbyEvent GRANTED = new StandbyEvent.ArbiterSaid(new Verdict.Granted());
  private static final StandbyEvent UNREACHABLE =
      new StandbyEvent.ArbiterSaid(new Verdict.Unknown("no route", false));
  private static final StandbyEvent ANSWER_LOST =
      new StandbyEvent.ArbiterSaid(new Verdict.Unknown("timed out", true));

  private final StandbyMachine machine = new StandbyMachine("hv1", TERM);
  private final List<StandbyAction> actions = new ArrayList<>();

  private void on(StandbyEvent... events) {
    for (StandbyEvent event : events) {
      actions.addAll(machine.on(event));
    }
  }

  private void standBy() {
    actions.addAll(machine.start());
    on(new StandbyEvent.Started(), new StandbyEvent.Staged(new EpochId(1)));
    actions.clear();
  }

  private <A extends StandbyAction> List<A> all(Class<A> kind) {
    return actions.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  private int indexOf(Class<? extends StandbyAction> kind) {
    for (int i = 0; i < actions.size(); i++) {
      if (kind.isInstance(actions.get(i))) {
        return i;
      }
    }
    throw new AssertionError("no " + kind.getSimpleName() + " in " + actions);
  }

  @Test
  void shouldPersistThatItStandsByBeforeItStarts() {
    actions.addAll(machine.start());

    assertThat(actions)
        .containsExactly(
            new StandbyAction.Persist(Role.STANDBY, TERM), new StandbyAction.StartStandby());
  }

  @Test
  void shouldCommitOnlyWholeEpochs() {
    actions.addAll(machine.start());
    on(new StandbyEvent.Started());
    assertThat(all(StandbyAction.Commit.class)).isEmpty();

    on(new StandbyEvent.Staged(new EpochId(1)), new StandbyEvent.Staged(new EpochId(2)));
    assertThat(all(StandbyAction.Commit.class))
        .containsExactly(
            new StandbyAction.Commit(new EpochId(1)), new StandbyAction.Commit(new EpochId(2)));
    assertThat(machine.state()).isEqualTo(VmState.STANDBY);
  }

  @Test
  void shouldPersistTheNewerTermBeforeItActivates() {
    standBy();
    on(new StandbyEvent.Expired(), GRANTED);

    assertThat(all(StandbyAction.Persist.class))
        .containsExactly(new StandbyAction.Persist(Role.ACTIVE, TERM.next()));
    assertThat(indexOf(StandbyAction.Persist.class))
        .isLessThan(indexOf(StandbyAction.Activate.class));
    assertThat(machine.state()).isEqualTo(VmState.ACTIVATING);
    assertThat(machine.term()).isEqualTo(TERM.next());
  }

  @Test
  void shouldNotActivateWithoutACommittedEpoch() {
    actions.addAll(machine.start());
    on(new StandbyEvent.Started(), new StandbyEvent.Expired(), GRANTED);

    assertThat(all(StandbyAction.Activate.class)).isEmpty();
    assertThat(all(StandbyAction.DestroyStandby.class)).hasSize(1);
    assertThat(machine.ended()).isTrue();
  }

  @Test
  void shouldAskOverOtherPathsBeforeItActsOnSilence() {
    standBy();
    on(new StandbyEvent.Suspected());

    assertThat(machine.state()).isEqualTo(VmState.SUSPECT);
    assertThat(all(StandbyAction.AskPrimary.class)).hasSize(1);
    assertThat(all(StandbyAction.Activate.class)).isEmpty();
  }

  @Test
  void shouldTrustThePrimaryAgainWhenItIsHeard() {
    standBy();
    on(new StandbyEvent.Suspected(), new StandbyEvent.Heard());

    assertThat(machine.state()).isEqualTo(VmState.STANDBY);
  }

  @Test
  void shouldNotActivateWhileThePrimaryAnswersOnAnotherPath() {
    standBy();
    on(new StandbyEvent.Suspected(), new StandbyEvent.PrimaryAnswered());

    assertThat(all(StandbyAction.Activate.class)).isEmpty();
    assertThat(all(StandbyAction.Disconnect.class)).hasSize(1);
  }

  @Test
  void shouldNotActivateJustBecauseTheConnectionBroke() {
    standBy();
    on(new StandbyEvent.LinkLost("reset"));

    assertThat(machine.state()).isEqualTo(VmState.SUSPECT);
    assertThat(all(StandbyAction.Activate.class)).isEmpty();
  }

  @Test
  void shouldBeVoidDurablyBeforeItSaysSo() {
    standBy();
    on(new StandbyEvent.StopReceived(TERM));

    assertThat(indexOf(StandbyAction.Persist.class))
        .isLessThan(indexOf(StandbyAction.SendStopped.class));
    assertThat(all(StandbyAction.DestroyStandby.class)).hasSize(1);
    on(new StandbyEvent.Expired(), GRANTED);
    assertThat(all(StandbyAction.Activate.class)).isEmpty();
  }

  @Test
  void shouldIgnoreAStopOfAnotherTerm() {
    standBy();
    on(new StandbyEvent.StopReceived(TERM.next()));

    assertThat(actions).isEmpty();
  }

  @Test
  void shouldAnswerAStopThatComesTooLateWithItsNewTerm() {
    standBy();
    on(new StandbyEvent.Expired(), GRANTED, new StandbyEvent.StopReceived(TERM));

    assertThat(all(StandbyAction.SendStopped.class)).isEmpty();
    assertThat(all(StandbyAction.SendRecord.class))
        .containsExactly(new StandbyAction.SendRecord(Role.ACTIVE, TERM.next()));
  }

  @Test
  void shouldNotCommitAnEpochThatIsStagedAfterTheClaim() {
    standBy();
    on(new StandbyEvent.Expired(), GRANTED, new StandbyEvent.Staged(new EpochId(2)));

    assertThat(all(StandbyAction.Commit.class)).isEmpty();
    assertThat(machine.committed()).isEqualTo(new EpochId(1));
  }

  @Test
  void shouldActivateWhenThePrimaryYields() {
    standBy();
    on(new StandbyEvent.Yielded(TERM.next()));

    assertThat(all(StandbyAction.Activate.class)).hasSize(1);
  }

  @Test
  void shouldWaitForTheLivingPrimaryToYieldWhenTheAdminAsks() {
    standBy();
    on(new StandbyEvent.FailoverRequested());
    assertThat(all(StandbyAction.SendClaim.class))
        .containsExactly(new StandbyAction.SendClaim(TERM.next()));
    assertThat(all(StandbyAction.Activate.class)).isEmpty();

    on(new StandbyEvent.Yielded(TERM.next()));
    assertThat(all(StandbyAction.Activate.class)).hasSize(1);
  }

  @Test
  void shouldGoBackToStandingByWhenALivingPrimaryDoesNotYield() {
    standBy();
    on(new StandbyEvent.FailoverRequested(), new StandbyEvent.ClaimUnanswered());

    assertThat(machine.state()).isEqualTo(VmState.STANDBY);
  }

  @Test
  void shouldGiveUpOnAStreamThatCannotBeUsed() {
    standBy();
    on(new StandbyEvent.Unusable("chunk 3 is malformed"));

    assertThat(all(StandbyAction.SendFailed.class)).hasSize(1);
    assertThat(all(StandbyAction.DestroyStandby.class)).hasSize(1);
    assertThat(machine.ended()).isTrue();
  }

  @Test
  void shouldRefuseWithTheReasonWhenNoStandbyCanBeHad() {
    actions.addAll(machine.start());
    on(new StandbyEvent.StartFailed("no memory"));

    assertThat(all(StandbyAction.SendRefused.class))
        .containsExactly(new StandbyAction.SendRefused("no memory"));
  }

  @Test
  void shouldStayWithTheGuestThatItActivated() {
    standBy();
    on(new StandbyEvent.Expired(), GRANTED, new StandbyEvent.Activated());

    assertThat(machine.state()).isEqualTo(VmState.ACTIVE);
    assertThat(all(StandbyAction.DestroyStandby.class)).isEmpty();
  }

  @Test
  void shouldDestroyWhatDidNotComeToLife() {
    standBy();
    on(
        new StandbyEvent.Expired(),
        GRANTED,
        new StandbyEvent.ActivationFailed("device state refused"));

    assertThat(all(StandbyAction.DestroyStandby.class)).hasSize(1);
    assertThat(machine.state()).isEqualTo(VmState.UNPROTECTED);
  }

  @Test
  void shouldNotActivateBeforeTheArbiterSaysSo() {
    standBy();
    on(new StandbyEvent.Expired());

    assertThat(machine.state()).isEqualTo(VmState.CLAIMING);
    assertThat(all(StandbyAction.AskArbiter.class)).hasSize(1);
    assertThat(all(StandbyAction.Activate.class)).isEmpty();
    assertThat(all(StandbyAction.Persist.class)).isEmpty();

    on(GRANTED);
    assertThat(all(StandbyAction.Activate.class)).hasSize(1);
  }

  @Test
  void shouldAckNothingOnceItHasClaimed() {
    standBy();
    on(new StandbyEvent.Expired(), new StandbyEvent.Staged(new EpochId(2)));
    on(UNREACHABLE, new StandbyEvent.Heard(), new StandbyEvent.Staged(new EpochId(3)));

    assertThat(all(StandbyAction.Commit.class)).isEmpty();
    assertThat(machine.state()).isEqualTo(VmState.SUSPECT);
  }

  @Test
  void shouldGiveUpWhatTheArbiterLeftToThePrimary() {
    standBy();
    on(new StandbyEvent.Expired(), new StandbyEvent.ArbiterSaid(new Verdict.Denied(TERM, "hv1")));

    assertThat(all(StandbyAction.Activate.class)).isEmpty();
    assertThat(all(StandbyAction.DestroyStandby.class)).hasSize(1);
    assertThat(all(StandbyAction.Persist.class))
        .containsExactly(new StandbyAction.Persist(Role.NONE, TERM));
    assertThat(machine.ended()).isTrue();
  }

  @Test
  void shouldNotTakeOverWhileTheArbiterCannotBeAskedAndSayWhyOnce() {
    standBy();
    for (int i = 0; i < 3; i++) {
      on(new StandbyEvent.Expired(), UNREACHABLE);
    }

    assertThat(machine.state()).isEqualTo(VmState.SUSPECT);
    assertThat(machine.reason()).contains("no route");
    assertThat(all(StandbyAction.Activate.class)).isEmpty();
    assertThat(all(StandbyAction.AskArbiter.class)).hasSize(3);
    assertThat(all(StandbyAction.Tell.class)).hasSize(2);
  }

  @Test
  void shouldHonourAStopWhileNothingWasClaimed() {
    standBy();
    on(new StandbyEvent.Expired(), UNREACHABLE, new StandbyEvent.StopReceived(TERM));

    assertThat(all(StandbyAction.SendStopped.class)).hasSize(1);
    assertThat(machine.ended()).isTrue();
  }

  @Test
  void shouldPromiseNothingUntilItKnowsWhatBecameOfItsClaim() {
    standBy();
    on(new StandbyEvent.Expired(), new StandbyEvent.StopReceived(TERM));
    assertThat(all(StandbyAction.SendStopped.class)).isEmpty();

    on(ANSWER_LOST, new StandbyEvent.StopReceived(TERM), UNREACHABLE);
    assertThat(machine.state()).isEqualTo(VmState.CLAIMING);
    assertThat(all(StandbyAction.SendStopped.class)).isEmpty();
    assertThat(all(StandbyAction.AskArbiter.class)).hasSize(3);

    on(GRANTED);
    assertThat(machine.state()).isEqualTo(VmState.ACTIVATING);
  }

  @Test
  void shouldTakeWhatThePrimaryGivesUpWhileTheArbiterIsAsked() {
    standBy();
    on(new StandbyEvent.Expired(), new StandbyEvent.Yielded(TERM.next()), GRANTED);

    assertThat(all(StandbyAction.Activate.class)).hasSize(1);
  }

  @Test
  void shouldWaitForAnAgentThatIsMissingOnALivingHost() {
    standBy();
    on(new StandbyEvent.LinkLost("reset"), new StandbyEvent.AgentMissing());

    assertThat(machine.state()).isEqualTo(VmState.SUSPECT);
    assertThat(machine.reason()).contains("its agent does not answer");
    assertThat(all(StandbyAction.AskArbiter.class)).isEmpty();
  }

  @Test
  void shouldCommitEpochsOfAPrimaryThatWasOnlyAskedToYield() {
    standBy();
    on(new StandbyEvent.FailoverRequested(), new StandbyEvent.Staged(new EpochId(2)));

    assertThat(machine.committed()).isEqualTo(new EpochId(2));
  }

  @Test
  void shouldNotActivateForAPrimaryThatGaveTheVmUpUnderALaterTerm() {
    standBy();
    on(new StandbyEvent.LinkLost("reset"), new StandbyEvent.Yielded(TERM.next().next()));

    assertThat(all(StandbyAction.Activate.class)).isEmpty();
    assertThat(all(StandbyAction.DestroyStandby.class)).hasSize(1);
    assertThat(machine.ended()).isTrue();
  }
}
