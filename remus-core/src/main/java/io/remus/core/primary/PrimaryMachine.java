package io.remus.core.primary;

import io.remus.core.control.EventRecord.Level;
import io.remus.core.control.VmState;
import io.remus.core.epoch.DurableAck;
import io.remus.core.epoch.EpochId;
import io.remus.core.epoch.Term;
import io.remus.core.failover.ArbiterKind;
import io.remus.core.failover.Role;
import io.remus.core.failover.Verdict;
import io.remus.core.failover.VmMachine;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * The primary's side of one protected VM: events in, actions out. No clock, thread, socket or file.
 *
 * <p>Output commit (Cully et al., NSDI 2008, section 3.2) is kept here: the only source of a {@link
 * PrimaryAction.Release} is an ack of the epoch whose packets it lets go, and the only sources of
 * an {@link PrimaryAction.Unplug} are that the backup voided its standby, that it never had a
 * committed epoch, or that the arbiter allows to go on alone. As long as the backup acks nobody
 * else is asked: its acks are the permission.
 *
 * <p>Not thread-safe: the conductor alone moves it.
 */
public final class PrimaryMachine extends VmMachine<PrimaryAction> {
  private record Outstanding(EpochId epoch, long marker) {}

  private final String vm;
  private final String peer;
  private final Term term;
  private final ArbiterKind arbiter;
  private final Deque<Outstanding> outstanding = new ArrayDeque<>();

  private EpochId acked;

  /** The backup may hold a committed epoch and with it the right to promote. */
  private boolean exposed;

  /** Found after a restart of the agent: with nobody to ask, nothing may be seen. */
  private final boolean returning;

  /** Goes on without a backup, but the peer could not be asked: it may run a newer copy. */
  private boolean watching;

  /** Its owner ended it; no copy is to go on. */
  private boolean guestEnded;

  /** It died here; the standby is the copy to go on. */
  private boolean guestLost;

  /** Goes on alone by the arbiter's word: the peer may have its standby still, and not know. */
  private boolean standbyMayWait;

  /** The arbiter was asked and has not answered. */
  private boolean asking;

  private boolean stopWanted;
  private boolean epochsEnded;

  /** A switchover stops the guest, or has stopped it: it must run again or be handed over. */
  private boolean guestStops;

  /** A stopped copy keeps the backup's from the disks. */
  private boolean sharesDisks;

  /** The term that this host has given the VM up to; null as long as it is its own. */
  private Term successor;

  /** Handed over by a switchover, but the backup was lost before it said that it runs the VM. */
  private boolean astray;

  /** The backup, connected, was asked to give its standby up. */
  private boolean voiding;

  private PrimaryMachine(
      String vm,
      String peer,
      Term term,
      ArbiterKind arbiter,
      boolean returning,
      VmState state,
      String reason) {
    super(state, reason);
    this.vm = vm;
    this.peer = peer;
    this.term = term;
    this.arbiter = arbiter;
    this.returning = returning;
    this.exposed = returning;
    this.epochsEnded = returning;
  }

  /** A VM that is to be protected under a new term. */
  public static PrimaryMachine protecting(String vm, String peer, Term term, ArbiterKind arbiter) {
    return new PrimaryMachine(
        vm, peer, term, arbiter, false, VmState.CONNECTING, "connecting to backup " + peer);
  }

  /** A VM that an earlier agent on this host protected under {@code term} and did not release. */
  public static PrimaryMachine returning(String vm, String peer, Term term, ArbiterKind arbiter) {
    return new PrimaryMachine(
        vm,
        peer,
        term,
        arbiter,
        true,
        VmState.FENCED,
        "the agent was gone; asking " + peer + " whether it took the VM over");
  }

  /** The first actions. */
  public List<PrimaryAction> start() {
    if (returning) {
      emit(new PrimaryAction.AskPeer());
    } else {
      emit(new PrimaryAction.Persist(Role.PRIMARY, term));
      emit(new PrimaryAction.Connect());
    }
    return take();
  }

  public Term term() {
    return term;
  }

  /** The newest term this host knows of: the own one, until the VM is handed over. */
  public Term newest() {
    return successor == null ? term : successor;
  }

  /** The last epoch that the backup committed, null before the first. */
  public EpochId acked() {
    return acked;
  }

  /** Whether a standby that was left behind would take a VM that is handed to it. */
  public boolean standbyMayWait() {
    return standbyMayWait;
  }

  /** Whether the backup may have a committed epoch, and with it the right to promote. */
  public boolean exposed() {
    return exposed;
  }

  /** Moves the machine. An event that means nothing in the present state changes nothing. */
  public List<PrimaryAction> on(PrimaryEvent event) {
    if (ended()) {
      return List.of();
    }
    if (event instanceof PrimaryEvent.Connected) {
      connected();
    } else if (event instanceof PrimaryEvent.Prepared) {
      prepared();
    } else if (event instanceof PrimaryEvent.Refused e) {
      refused(e.reason());
    } else if (event instanceof PrimaryEvent.Synchronised) {
      synchronised();
    } else if (event instanceof PrimaryEvent.Captured e) {
      outstanding.addLast(new Outstanding(e.epoch(), e.marker()));
    } else if (event instanceof PrimaryEvent.Acked e) {
      acked(e.ack());
    } else if (event instanceof PrimaryEvent.EpochsFinished) {
      epochsEnded = true;
      goOnWhenDrained();
    } else if (event instanceof PrimaryEvent.EpochsFailed e) {
      epochsEnd("capture failed: " + e.reason(), Level.ERROR);
    } else if (event instanceof PrimaryEvent.GuestChanged e) {
      epochsEnd(e.reason(), Level.WARNING);
    } else if (event instanceof PrimaryEvent.LinkLost e) {
      linkLost(e.reason());
    } else if (event instanceof PrimaryEvent.StandbyFailed e) {
      standbyFailed(e.reason());
    } else if (event instanceof PrimaryEvent.StandbyVoided) {
      standbyVoided();
    } else if (event instanceof PrimaryEvent.PeerNewer e) {
      superseded(e.term());
    } else if (event instanceof PrimaryEvent.PeerStandby e) {
      peerStandby(e.guestRuns());
    } else if (event instanceof PrimaryEvent.PeerUnreachable e) {
      peerUnreachable(e.guestRuns());
    } else if (event instanceof PrimaryEvent.ArbiterSaid e) {
      arbiterSaid(e.verdict());
    } else if (event instanceof PrimaryEvent.PeerClaims e) {
      peerClaims(e.term());
    } else if (event instanceof PrimaryEvent.StopRequested) {
      stopRequested();
    } else if (event instanceof PrimaryEvent.StopForced) {
      stopForced();
    } else if (event instanceof PrimaryEvent.FailoverRequested) {
      failoverRequested();
    } else if (event instanceof PrimaryEvent.SwitchoverRequested e) {
      switchoverRequested(e.sharesDisks());
    } else if (event instanceof PrimaryEvent.SwitchoverRefused e) {
      switchoverRefused(e.reason());
    } else if (event instanceof PrimaryEvent.HandOverFailed e) {
      handOverFailed(e.reason());
    } else if (event instanceof PrimaryEvent.SwitchoverOverdue) {
      switchoverOverdue();
    } else if (event instanceof PrimaryEvent.GuestEnded e) {
      guestEnded(e.reason());
    } else if (event instanceof PrimaryEvent.GuestCrashed e) {
      guestCrashed(e.reason());
    }
    return take();
  }

  private void connected() {
    if (state == VmState.CONNECTING) {
      reason = peer + " is starting the standby";
      emit(new PrimaryAction.Prepare());
    }
  }

  private void prepared() {
    if (state == VmState.CONNECTING) {
      enter(VmState.SYNCING, "initial synchronisation to " + peer, Level.INFO);
      emit(new PrimaryAction.Synchronise());
    }
  }

  private void refused(String why) {
    if (state == VmState.CONNECTING) {
      goOnAlone(why, Level.ERROR);
    }
  }

  private void synchronised() {
    if (state == VmState.SYNCING) {
      exposed = true;
      emit(new PrimaryAction.Plug());
      emit(new PrimaryAction.RunEpochs());
    }
  }

  private void acked(DurableAck ack) {
    if (!ack.term().equals(term)
        || outstanding.isEmpty()
        || !outstanding.peekFirst().epoch().equals(ack.epoch())) {
      linkLost(peer + " acked an epoch that it was not sent");
      return;
    }
    if (state == VmState.FENCED) {
      return;
    }
    acked = ack.epoch();
    emit(new PrimaryAction.Release(ack, outstanding.removeFirst().marker()));
    if (state == VmState.SYNCING) {
      enter(VmState.PROTECTED, "standby on " + peer, Level.INFO);
    }
    goOnWhenDrained();
  }

  private void epochsEnd(String why, Level level) {
    epochsEnded = true;
    if (state == VmState.SYNCING || state == VmState.PROTECTED || isMoving()) {
      stopWanted = true;
      endProtection(why, level);
    } else if (state == VmState.STOPPING) {
      voidStandby();
    }
  }

  /** The guest runs on here at once; its standby is of no use then. */
  private void endProtection(String why, Level level) {
    enter(VmState.STOPPING, why, level);
    emit(new PrimaryAction.HaltEpochs());
    resumeGuest();
    epochsEnded = true;
    voidStandby();
  }

  /** A backup without a committed epoch cannot promote; any other must be asked. */
  private void linkLost(String why) {
    if (state == VmState.FENCED || state == VmState.UNPROTECTED) {
      return;
    }
    if (successor != null) {
      goAstray(peer + " was lost (" + why + ") before it said that it runs the VM");
      return;
    }
    if (!exposed) {
      goOnAlone("backup " + peer + " lost: " + why, Level.ERROR);
      return;
    }
    enter(VmState.FENCED, "backup " + peer + " lost (" + why + "); output held", Level.WARNING);
    // A loop that waits for a dead connection ends with it.
    emit(new PrimaryAction.Disconnect());
    emit(new PrimaryAction.HaltEpochs());
    resumeGuest();
    if (arbiter == ArbiterKind.ETCD) {
      askArbiter();
    }
    emit(new PrimaryAction.AskPeer());
  }

  /** Whoever goes on alone takes the standby's right away, so there must be something to go on. */
  private void askArbiter() {
    if (!asking && !guestLost) {
      asking = true;
      emit(new PrimaryAction.AskArbiter());
    }
  }

  private void standbyFailed(String why) {
    if (successor != null) {
      takeBack("backup " + peer + " gave its standby up instead of running it: " + why);
    } else if (state != VmState.FENCED) {
      goOnAlone("backup " + peer + " gave its standby up: " + why, Level.ERROR);
    }
  }

  private void standbyVoided() {
    if (successor != null) {
      takeBack(peer + " has given its standby up instead of running it");
    } else if (state == VmState.STOPPING) {
      goOnAlone(stopWanted ? reason : "protection ended", Level.INFO);
    } else if (state == VmState.FENCED || watching) {
      goOnAlone(
          "backup " + peer + " was lost and has given its standby up",
          stopWanted || returning ? Level.INFO : Level.ERROR);
    }
  }

  private void superseded(Term newer) {
    if (!newer.isNewerThan(term)) {
      return;
    }
    if (successor != null) {
      successor = newer;
      letGoOfTheMoved("moved to " + peer + ", which runs it under term " + newer.number());
      return;
    }
    successor = newer;
    enter(
        VmState.FENCED,
        peer + " runs the VM under newer term " + newer.number() + "; this copy is destroyed",
        Level.ERROR);
    emit(new PrimaryAction.HaltEpochs());
    emit(new PrimaryAction.Persist(Role.SUPERSEDED, newer));
    emit(new PrimaryAction.DestroyGuest());
    emit(new PrimaryAction.DropOutput());
    emit(new PrimaryAction.Disconnect());
    end();
  }

  /**
   * A guest that runs here goes on here; one that died with this host goes on there. Once output
   * was released without the peer, its standby is too old in any case.
   */
  private void peerStandby(boolean guestRuns) {
    if (successor != null) {
      emit(new PrimaryAction.HandOver(successor));
      emit(new PrimaryAction.AskPeerAgain());
    } else if (watching || (state == VmState.FENCED && (guestRuns || guestEnded))) {
      emit(new PrimaryAction.VoidStandby());
    } else if (state == VmState.FENCED) {
      handOver(term.next(), "this host lost the guest; " + peer + " still has its standby");
    }
  }

  private void peerUnreachable(boolean guestRuns) {
    if (successor != null) {
      hold(
          "handed over to %s, which does not answer; the stopped copy waits here. Bring %s back, or run 'remus unprotect %s --force' if you know that it is off"
              .formatted(peer, peer, vm));
      emit(new PrimaryAction.AskPeerAgain());
    } else if (watching) {
      emit(new PrimaryAction.AskPeerAgain());
    } else if (state == VmState.FENCED && arbiter == ArbiterKind.NONE) {
      believeSilence();
    } else if (state == VmState.FENCED) {
      if (guestRuns || guestEnded) {
        askArbiter();
      } else {
        reason =
            "%s lost its guest in this host's failure and %s, which has the standby, does not answer. Bring %s back, or start the VM from its disks: remus recover %s"
                .formatted(vm, peer, peer, vm);
      }
      emit(new PrimaryAction.AskPeerAgain());
    }
  }

  /**
   * Without an arbiter a primary that ran on until now may go on; one that was away may not, since
   * nothing tells it how long the peer has been running the VM. Either goes on asking.
   */
  private void believeSilence() {
    if (returning) {
      reason =
          "%s does not answer, so nobody can tell whether it runs VM %s; held output stays held. Bring %s back, or run 'remus unprotect %s --force' if you know that it is off"
              .formatted(peer, vm, peer, vm);
    } else {
      watching = true;
      enter(
          VmState.UNPROTECTED,
          "backup " + peer + " is lost and does not answer on any path",
          Level.ERROR);
      emit(new PrimaryAction.Unplug());
    }
    emit(new PrimaryAction.AskPeerAgain());
  }

  /**
   * Granted, the standby will never be activated. Denied, this copy is not destroyed on the
   * arbiter's word alone: the peer may have died between its claim and its first step, and then
   * this is the only copy. Unseen, it waits for the peer's own word.
   */
  private void arbiterSaid(Verdict verdict) {
    asking = false;
    if (state != VmState.FENCED) {
      return;
    }
    if (verdict instanceof Verdict.Granted && guestLost) {
      // It died after the question; the standby needs no arbiter when it is given the VM.
      handOver(term.next(), "the guest was lost here while the arbiter was asked");
    } else if (verdict instanceof Verdict.Granted) {
      standbyMayWait = true;
      goOnAlone(
          "backup " + peer + " is lost; the arbiter lets this host go on",
          stopWanted || returning ? Level.INFO : Level.ERROR);
    } else if (verdict instanceof Verdict.Denied denied) {
      hold(
          "the arbiter gave VM %s to %s under term %s; this copy stays unseen until %s answers"
              .formatted(vm, denied.holder(), denied.newest(), peer));
    } else if (verdict instanceof Verdict.Unknown unknown) {
      hold(
          "neither %s nor the arbiter can be asked (%s), so nobody can tell whether %s runs VM %s; held output stays held. Bring one of them back, or run 'remus unprotect %s --force' if you know that %s is off"
              .formatted(peer, unknown.why(), peer, vm, vm, peer));
    }
  }

  /** Stays as it is, and says so once for each reason. */
  private void hold(String why) {
    if (!why.equals(reason)) {
      reason = why;
      emit(tell(Level.ERROR, why));
    }
  }

  private void peerClaims(Term wanted) {
    if (exposed && successor == null && wanted.isNewerThan(term)) {
      handOver(wanted, peer + " was told to take over");
    }
  }

  private void failoverRequested() {
    if (state == VmState.PROTECTED) {
      handOver(term.next(), "failover to " + peer + " was asked for");
    }
  }

  private void switchoverRequested(boolean disksAreShared) {
    if (state == VmState.PROTECTED) {
      enter(VmState.SWITCHING, "switchover to " + peer + " was asked for", Level.INFO);
      sharesDisks = disksAreShared;
      guestStops = true;
      emit(new PrimaryAction.NoteStop());
      emit(new PrimaryAction.StopGuest());
    }
  }

  /** The epoch loop was not told yet and goes on. */
  private void switchoverRefused(String why) {
    if (isMoving()) {
      guestStops = false;
      enter(VmState.PROTECTED, "not switched over: " + why, Level.ERROR);
    }
  }

  /** Still this host's: the guest is moving but not handed over. */
  private boolean isMoving() {
    return state == VmState.SWITCHING && successor == null;
  }

  /**
   * The backup has all that the guest did, and all that it said is out. A guest that stands still
   * says nothing more, and what it might say, were it woken, is held: so it may be handed over
   * before it is destroyed, and be had back when the backup fails to run it.
   */
  private void giveUpStopped() {
    successor = term.next();
    emit(new PrimaryAction.Persist(Role.SUPERSEDED, successor));
    if (sharesDisks) {
      guestStops = false;
      emit(new PrimaryAction.DestroyGuest());
    }
    emit(new PrimaryAction.HandOver(successor));
  }

  /** Nobody was told: the guest is still this host's. */
  private void handOverFailed(String why) {
    if (state == VmState.SWITCHING && guestStops) {
      successor = null;
      stopWanted = true;
      endProtection("not switched over: " + why, Level.ERROR);
    }
  }

  private void switchoverOverdue() {
    if (isMoving()) {
      linkLost("the switchover took too long");
    } else if (state == VmState.SWITCHING) {
      goAstray(peer + " does not say that it runs the VM");
    }
  }

  /** The stopped copy is kept until it is known who runs the VM. */
  private void goAstray(String why) {
    if (!astray) {
      astray = true;
      reason = why;
      emit(new PrimaryAction.Tell(Level.WARNING, why));
      emit(new PrimaryAction.Disconnect());
      emit(new PrimaryAction.AskPeer());
    }
  }

  private void letGoOfTheMoved(String why) {
    enter(VmState.FENCED, why, Level.INFO);
    emit(new PrimaryAction.DestroyGuest());
    emit(new PrimaryAction.DropOutput());
    emit(new PrimaryAction.Persist(Role.SUPERSEDED, successor));
    end();
  }

  /** No other copy will ever run: this one goes on, under the term it was given up to. */
  private void takeBack(String why) {
    if (!guestStops) {
      goOnAlone(why + "; the copy here is destroyed already: start the VM", Level.ERROR);
      return;
    }
    // Should this agent die now, the next one must not take the copy for a stale one.
    emit(new PrimaryAction.Persist(Role.NONE, successor));
    goOnAlone(why, Level.ERROR);
  }

  private void resumeGuest() {
    if (guestStops) {
      guestStops = false;
      emit(new PrimaryAction.ResumeGuest());
    }
  }

  /** Destroying comes before telling: at no moment may two copies be seen. */
  private void handOver(Term next, String why) {
    successor = next;
    enter(VmState.FENCED, why, Level.WARNING);
    emit(new PrimaryAction.HaltEpochs());
    emit(new PrimaryAction.Persist(Role.SUPERSEDED, next));
    emit(new PrimaryAction.DestroyGuest());
    emit(new PrimaryAction.DropOutput());
    emit(new PrimaryAction.HandOver(next));
    end();
  }

  private void stopRequested() {
    stopWanted = true;
    switch (state) {
      case PROTECTED -> {
        enter(VmState.STOPPING, "protection is being ended", Level.INFO);
        emit(new PrimaryAction.FinishEpochs());
      }
      case SWITCHING -> {
        if (isMoving()) {
          endProtection("protection is being ended", Level.INFO);
        }
      }
      case CONNECTING, UNPROTECTED -> goOnAlone("protection ended", Level.INFO);
      case SYNCING -> {
        emit(new PrimaryAction.HaltEpochs());
        if (exposed) {
          enter(VmState.STOPPING, "protection is being ended", Level.INFO);
          epochsEnded = true;
          voidStandby();
        } else {
          goOnAlone("protection ended", Level.INFO);
        }
      }
      default -> {}
    }
  }

  /** The backup is told if it can hear; that it has heard is not waited for. */
  private void stopForced() {
    if (successor != null) {
      takeBack("protection ended by force");
      return;
    }
    if (exposed) {
      emit(new PrimaryAction.VoidStandby());
    }
    goOnAlone("protection ended by force", Level.WARNING);
  }

  private void goOnWhenDrained() {
    if (!epochsEnded || !outstanding.isEmpty()) {
      return;
    }
    if (state == VmState.STOPPING) {
      voidStandby();
    } else if (isMoving()) {
      giveUpStopped();
    }
  }

  private void voidStandby() {
    if (!voiding) {
      voiding = true;
      emit(new PrimaryAction.VoidStandby());
    }
  }

  private void guestEnded(String why) {
    stopWanted = true;
    guestEnded = true;
    if (successor != null) {
      if (guestStops) {
        letGoOfTheMoved("handed over to " + peer + "; the stopped copy here ended: " + why);
      }
      return;
    }
    if (state == VmState.FENCED) {
      return;
    }
    if (exposed && !watching) {
      enter(VmState.STOPPING, "the guest ended: " + why, Level.INFO);
      emit(new PrimaryAction.HaltEpochs());
      voidStandby();
    } else {
      goOnAlone("the guest ended: " + why, Level.INFO);
    }
  }

  private void guestCrashed(String why) {
    if (state == VmState.PROTECTED || isMoving()) {
      handOver(term.next(), "the guest was lost here: " + why);
    } else if (state == VmState.FENCED) {
      guestLost = true;
    } else {
      guestEnded(why);
    }
  }

  /**
   * That the standby is not needed is on disk before output leaves without it: a host that lost its
   * power in between, and its guest with it, would hand over to a standby that is too old.
   */
  private void goOnAlone(String why, Level level) {
    enter(VmState.UNPROTECTED, why, level);
    emit(new PrimaryAction.HaltEpochs());
    resumeGuest();
    emit(new PrimaryAction.Persist(Role.NONE, newest()));
    emit(new PrimaryAction.Unplug());
    emit(new PrimaryAction.Disconnect());
    end();
  }

  @Override
  protected PrimaryAction tell(Level level, String message) {
    return new PrimaryAction.Tell(level, message);
  }

  @Override
  protected PrimaryAction lastAction() {
    return new PrimaryAction.End();
  }
}
