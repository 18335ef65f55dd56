package io.remus.core.standby;

import io.remus.core.control.EventRecord.Level;
import io.remus.core.control.VmState;
import io.remus.core.epoch.EpochId;
import io.remus.core.epoch.Term;
import io.remus.core.failover.Role;
import io.remus.core.failover.Verdict;
import io.remus.core.failover.VmMachine;
import java.util.List;

/**
 * The backup's side of one protected VM: events in, actions out. No clock, thread, socket or file.
 *
 * <p>A copy is activated only under a term that is newer than the primary's and is on disk first,
 * and only from a committed epoch (Cully et al., NSDI 2008, section 2.5). Either the primary has
 * given the VM up, or the arbiter has taken it from the primary.
 *
 * <p>Not thread-safe: the conductor alone moves it.
 */
public final class StandbyMachine extends VmMachine<StandbyAction> {
  private final String peer;
  private final Term term;

  private EpochId committed;
  private boolean linkLost;

  /** It has claimed the VM at least once. */
  private boolean claimed;

  /** The arbiter was asked, and not the primary. */
  private boolean asking;

  /** The arbiter may have granted the VM without anybody hearing it: no way back until it tells. */
  private boolean mayBeGranted;

  /**
   * @param peer name of the primary
   * @param term the primary's term
   */
  public StandbyMachine(String peer, Term term) {
    super(VmState.PREPARING, "starting the standby for " + peer);
    this.peer = peer;
    this.term = term;
  }

  /** The first actions. */
  public List<StandbyAction> start() {
    emit(new StandbyAction.Persist(Role.STANDBY, term));
    emit(new StandbyAction.StartStandby());
    return take();
  }

  /** The primary's term until activation, the term it runs under from then on. */
  public Term term() {
    return switch (state) {
      case ACTIVATING, ACTIVE -> term.next();
      default -> term;
    };
  }

  /** The epoch to run on from, null before the first. */
  public EpochId committed() {
    return committed;
  }

  /** Moves the machine. An event that means nothing in the present state changes nothing. */
  public List<StandbyAction> on(StandbyEvent event) {
    if (ended()) {
      return List.of();
    }
    if (event instanceof StandbyEvent.Started) {
      started();
    } else if (event instanceof StandbyEvent.StartFailed e) {
      startFailed(e.reason());
    } else if (event instanceof StandbyEvent.Staged e) {
      staged(e.epoch());
    } else if (event instanceof StandbyEvent.Unusable e) {
      standbyLost("the stream from " + peer + " cannot be used: " + e.reason());
    } else if (event instanceof StandbyEvent.StandbyLost e) {
      standbyLost(e.reason());
    } else if (event instanceof StandbyEvent.LinkLost e) {
      linkLost(e.reason());
    } else if (event instanceof StandbyEvent.Suspected) {
      suspect("no sign of life from " + peer);
    } else if (event instanceof StandbyEvent.Heard) {
      heard();
    } else if (event instanceof StandbyEvent.Expired) {
      expired();
    } else if (event instanceof StandbyEvent.AgentMissing) {
      agentMissing();
    } else if (event instanceof StandbyEvent.ArbiterSaid e) {
      arbiterSaid(e.verdict());
    } else if (event instanceof StandbyEvent.PrimaryAnswered) {
      primaryAnswered();
    } else if (event instanceof StandbyEvent.PrimaryEnded e) {
      primaryEnded(e.reason());
    } else if (event instanceof StandbyEvent.StopReceived e) {
      stopReceived(e.term());
    } else if (event instanceof StandbyEvent.Yielded e) {
      yielded(e.term());
    } else if (event instanceof StandbyEvent.FailoverRequested) {
      failoverRequested();
    } else if (event instanceof StandbyEvent.ClaimUnanswered) {
      claimUnanswered();
    } else if (event instanceof StandbyEvent.Activated) {
      activated();
    } else if (event instanceof StandbyEvent.ActivationFailed e) {
      activationFailed(e.reason());
    }
    return take();
  }

  private void started() {
    if (state == VmState.PREPARING) {
      enter(VmState.SYNCING, "initial synchronisation from " + peer, Level.INFO);
      emit(new StandbyAction.SendPrepared());
    }
  }

  private void startFailed(String why) {
    if (state == VmState.PREPARING) {
      emit(new StandbyAction.SendRefused(why));
      giveUp(why, Level.WARNING);
    }
  }

  private void staged(EpochId epoch) {
    switch (state) {
      case SYNCING -> {
        committed = epoch;
        emit(new StandbyAction.Commit(epoch));
        enter(VmState.STANDBY, "ready to take over from " + peer, Level.INFO);
      }
      case STANDBY -> {
        committed = epoch;
        emit(new StandbyAction.Commit(epoch));
      }
      case CLAIMING -> {
        // A primary that was only asked to yield still runs the VM.
        if (!asking) {
          committed = epoch;
          emit(new StandbyAction.Commit(epoch));
        }
      }
      case SUSPECT -> {
        heard();
        if (state == VmState.STANDBY) {
          staged(epoch);
        }
      }
      default -> {}
    }
  }

  private void standbyLost(String why) {
    switch (state) {
      case PREPARING, SYNCING, STANDBY, SUSPECT -> {
        emit(new StandbyAction.SendFailed(why));
        giveUp(why, Level.ERROR);
      }
      default -> {}
    }
  }

  private void linkLost(String why) {
    switch (state) {
      case PREPARING, SYNCING ->
          giveUp("lost " + peer + " before the first epoch: " + why, Level.WARNING);
      case STANDBY -> {
        linkLost = true;
        suspect("connection to " + peer + " lost: " + why);
      }
      case SUSPECT, CLAIMING -> linkLost = true;
      default -> {}
    }
  }

  private void suspect(String why) {
    if (state == VmState.STANDBY) {
      enter(VmState.SUSPECT, why, Level.WARNING);
      emit(new StandbyAction.AskPrimary());
    }
  }

  /** A broken connection does not mend: only a new protection brings the primary back. */
  private void heard() {
    if (state == VmState.SUSPECT && !linkLost) {
      enter(VmState.STANDBY, "heard from " + peer + " again", Level.INFO);
    }
  }

  private void expired() {
    switch (state) {
      case PREPARING, SYNCING -> giveUp("lost " + peer + " before the first epoch", Level.WARNING);
      case STANDBY, SUSPECT -> claim(peer + " gave no sign of life for the whole timeout");
      default -> {}
    }
  }

  private void agentMissing() {
    if (state == VmState.SUSPECT) {
      say(peer + " lives but its agent does not answer; waiting for the agent");
    }
  }

  /**
   * The primary lives and will ask for this standby to be given up; it must notice the bad path,
   * too.
   */
  private void primaryAnswered() {
    if (state == VmState.SUSPECT && !linkLost) {
      linkLost = true;
      reason = peer + " lives but the replication path is broken";
      emit(new StandbyAction.Tell(Level.WARNING, reason));
      emit(new StandbyAction.Disconnect());
    }
  }

  /** It went on without this standby, which is too old from then on. */
  private void primaryEnded(String why) {
    switch (state) {
      case STANDBY, SUSPECT -> {
        emit(new StandbyAction.Persist(Role.NONE, term));
        giveUp(why, Level.WARNING);
      }
      default -> {}
    }
  }

  private void stopReceived(Term stopped) {
    if (!stopped.equals(term)) {
      return;
    }
    switch (state) {
      case PREPARING, SYNCING, STANDBY, SUSPECT -> {
        emit(new StandbyAction.Persist(Role.NONE, term));
        emit(new StandbyAction.SendStopped());
        giveUp("protection was ended by " + peer, Level.INFO);
      }
      case ACTIVATING -> emit(new StandbyAction.SendRecord(Role.ACTIVE, term()));
      default -> {}
    }
  }

  /** Under a later term than the next one it was given up to somebody else, and gone on since. */
  private void yielded(Term next) {
    if (committed == null) {
      return;
    }
    if (next.equals(term.next())) {
      switch (state) {
        case STANDBY, SUSPECT, CLAIMING -> activate(peer + " gave the VM up");
        default -> {}
      }
    } else if (next.isNewerThan(term)) {
      primaryEnded(peer + " has given the VM up under a later term; this standby is too old");
    }
  }

  /** From here on nothing of the primary is taken any more: its epochs would be acked in vain. */
  private void claim(String why) {
    if (!claimed) {
      claimed = true;
      linkLost = true;
      say(why);
      emit(new StandbyAction.Disconnect());
    }
    state = VmState.CLAIMING;
    asking = true;
    emit(new StandbyAction.AskArbiter());
  }

  private void arbiterSaid(Verdict verdict) {
    if (state != VmState.CLAIMING || !asking) {
      return;
    }
    if (verdict instanceof Verdict.Granted) {
      activate(peer + " gave no sign of life for the whole timeout");
    } else if (verdict instanceof Verdict.Denied denied) {
      giveUp(
          "the arbiter left the VM to %s under term %s; this standby is too old"
              .formatted(denied.holder(), denied.newest()),
          Level.WARNING);
    } else if (verdict instanceof Verdict.Unknown unknown) {
      unknown(unknown);
    }
  }

  private void unknown(Verdict.Unknown unknown) {
    mayBeGranted |= unknown.mayHaveBeenGranted();
    say(
        "%s is silent, but the arbiter cannot be asked (%s): not taking over"
            .formatted(peer, unknown.why()));
    if (mayBeGranted) {
      emit(new StandbyAction.AskArbiter());
    } else {
      asking = false;
      state = VmState.SUSPECT;
    }
  }

  /** Once for each reason. */
  private void say(String why) {
    if (!why.equals(reason)) {
      reason = why;
      emit(tell(Level.WARNING, why));
    }
  }

  private void activate(String why) {
    emit(new StandbyAction.Persist(Role.ACTIVE, term.next()));
    enter(VmState.ACTIVATING, why, Level.WARNING);
    emit(new StandbyAction.Disconnect());
    emit(new StandbyAction.Activate());
  }

  private void failoverRequested() {
    if (state == VmState.STANDBY) {
      enter(
          VmState.CLAIMING,
          "failover was asked for; waiting for " + peer + " to give up",
          Level.WARNING);
      emit(new StandbyAction.SendClaim(term.next()));
    } else if (state == VmState.SUSPECT) {
      claim("failover was asked for");
    }
  }

  private void claimUnanswered() {
    if (state != VmState.CLAIMING || asking) {
      return;
    }
    if (linkLost) {
      enter(
          VmState.SUSPECT,
          "connection to " + peer + " lost while it was to give up",
          Level.WARNING);
      emit(new StandbyAction.AskPrimary());
    } else {
      enter(
          VmState.STANDBY,
          peer + " lives but did not give the VM up; power it off or end the VM there",
          Level.ERROR);
    }
  }

  private void activated() {
    if (state == VmState.ACTIVATING) {
      emit(new StandbyAction.SendRecord(Role.ACTIVE, term()));
      enter(
          VmState.ACTIVE,
          "took over from " + peer + " at epoch " + committed.number() + "; not protected",
          Level.WARNING);
      end();
    }
  }

  private void activationFailed(String why) {
    if (state == VmState.ACTIVATING) {
      giveUp("the standby did not come to life: " + why, Level.ERROR);
    }
  }

  private void giveUp(String why, Level level) {
    Term known = term();
    enter(VmState.UNPROTECTED, why, level);
    emit(new StandbyAction.DestroyStandby());
    emit(new StandbyAction.Disconnect());
    emit(new StandbyAction.Persist(Role.NONE, known));
    end();
  }

  @Override
  protected StandbyAction tell(Level level, String message) {
    return new StandbyAction.Tell(level, message);
  }

  @Override
  protected StandbyAction lastAction() {
    return new StandbyAction.End();
  }
}
