package io.remus.agent.conductor;

import io.remus.agent.arbiter.Pair;
import io.remus.agent.guest.GuestException;
import io.remus.agent.guest.RunningGuest;
import io.remus.agent.nativeio.NativeException;
import io.remus.agent.peer.FrameListener;
import io.remus.agent.peer.PeerConnection;
import io.remus.agent.peer.PeerException;
import io.remus.agent.primary.EpochListener;
import io.remus.agent.primary.EpochTimes;
import io.remus.agent.term.VmRecord;
import io.remus.agent.term.Wish;
import io.remus.core.control.EventRecord.Level;
import io.remus.core.control.Switchover;
import io.remus.core.control.VerificationProgress;
import io.remus.core.control.VerificationReport;
import io.remus.core.control.VmRole;
import io.remus.core.control.VmState;
import io.remus.core.control.VmStatus;
import io.remus.core.epoch.DurableAck;
import io.remus.core.epoch.EpochId;
import io.remus.core.epoch.Term;
import io.remus.core.failover.Role;
import io.remus.core.failover.SilenceMonitor;
import io.remus.core.primary.PrimaryAction;
import io.remus.core.primary.PrimaryEvent;
import io.remus.core.primary.PrimaryMachine;
import io.remus.core.wire.Frame;
import io.remus.core.wire.ProtocolException;
import io.remus.core.wire.Purpose;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * One VM that this host runs and protects: performs what its {@link PrimaryMachine} decides. All of
 * it happens on the VM's lane; frames, the epoch loop and libvirt's events only put work into it.
 */
final class PrimaryVm {
  /** After a link that was good a moment ago: a peer that does not greet in this time is gone. */
  private static final long ASK_AFTER_LOSS_MS = 250;

  private static final long ASK_AFTER_RETURN_MS = 2_000;
  private static final long ASK_AGAIN_MS = 1_000;
  private static final long STOP_LIMIT_MS = 10_000;

  /** A guest that stands still for so long, with the backup alive, is better off here. */
  private static final long SWITCHOVER_LIMIT_MS = 3_000;

  /** Longer than a backup goes on trying to bring the guest to life. */
  private static final long CONFIRM_LIMIT_MS = 15_000;

  /** A backup that lives but takes nothing for so long is of no use, and holds output and disks. */
  private static final long ACK_LIMIT_NS = 10_000_000_000L;

  private static final int RULES_EVERY = 10;
  private static final long CRASH_NOTICE_MS = 3_000;

  private final Surroundings around;
  private final String vm;
  private final String uuid;
  private final RunningGuest guest;
  private final Wish wish;
  private final PrimaryRecord record;
  private final Replication replication;
  private final Lane lane;
  private final PrimaryMachine machine;
  private final Peer peer;
  private final boolean returning;
  private final CompletableFuture<Void> accepted = new CompletableFuture<>();
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private final Pulse pulse;
  private final Performer<PrimaryAction> performer;

  private volatile VmView view;
  private volatile PeerConnection connection;
  private volatile Move move;
  private PeerConnection inquiry;
  private Term yieldedTo;
  private volatile boolean outgrown;
  private long looks;

  /** A VM to be protected under {@code term}. */
  static PrimaryVm protecting(
      Surroundings around, RunningGuest guest, Peer peer, Term term, Wish wish) {
    return new PrimaryVm(
        around,
        guest.name(),
        guest.uuid(),
        guest,
        peer,
        wish,
        PrimaryMachine.protecting(guest.name(), peer.name(), term, around.arbiter().kind()),
        false);
  }

  /** A VM that an earlier agent left protected; its rules, if any, still hold its output. */
  static PrimaryVm returning(Surroundings around, VmRecord record, Peer peer) {
    return new PrimaryVm(
        around,
        record.vm(),
        record.uuid(),
        null,
        peer,
        record.wish(),
        PrimaryMachine.returning(
            record.vm(), peer.name(), new Term(record.term()), around.arbiter().kind()),
        true);
  }

  private PrimaryVm(
      Surroundings around,
      String vm,
      String uuid,
      RunningGuest guest,
      Peer peer,
      Wish wish,
      PrimaryMachine machine,
      boolean returning) {
    this.around = around;
    this.vm = vm;
    this.uuid = uuid;
    this.guest = guest;
    this.peer = peer;
    this.wish = wish;
    this.machine = machine;
    this.returning = returning;
    this.record = new PrimaryRecord(around, uuid, vm, wish);
    this.replication = new Replication(around, vm, guest);
    this.lane = new Lane(vm);
    this.performer = new Performer<>(lane, this::perform, this::failed);
    this.pulse =
        new Pulse(around.clock(), around.heartbeatMs(), around.timeoutNs(), lane, this::look);
    this.view =
        new VmView(Role.PRIMARY, machine.term(), machine.state(), machine.reason(), Instant.now());
  }

  /** Begins. */
  void start() {
    lane.execute(() -> performer.perform(machine.start()));
  }

  String vm() {
    return vm;
  }

  String uuid() {
    return uuid;
  }

  VmView view() {
    return view;
  }

  /** Completes when the backup's standby is ready, fails when protection was refused. */
  CompletableFuture<Void> accepted() {
    return accepted;
  }

  /** Completes when protection has ended and nothing of it is left on this host. */
  CompletableFuture<Void> ended() {
    return ended;
  }

  /** What is kept of the VM on disk. */
  PrimaryRecord record() {
    return record;
  }

  /** Whether protection ended because the standby did not fit the guest any more. */
  boolean outgrown() {
    return outgrown;
  }

  /** Puts an event into the lane. */
  void tell(PrimaryEvent event) {
    lane.execute(() -> dispatch(event));
  }

  private void dispatch(PrimaryEvent event) {
    List<PrimaryAction> actions = machine.on(event);
    publish();
    performer.perform(actions);
    settleMove();
  }

  /** That the VM belongs to the peer is in the view once the peer may act on it, not before. */
  private void publish() {
    boolean alone = machine.state() == VmState.UNPROTECTED;
    Role role = alone ? Role.NONE : yieldedTo == null ? Role.PRIMARY : Role.SUPERSEDED;
    Term term = alone ? machine.newest() : yieldedTo == null ? machine.term() : yieldedTo;
    view = view.now(role, term, machine.state(), machine.reason());
  }

  /** Moves the VM to its backup in order. */
  CompletableFuture<Switchover> switchOver() {
    Move wanted = new Move(around, vm, peer.name(), guest.taps());
    boolean asked =
        lane.execute(
            () -> {
              if (machine.state() == VmState.PROTECTED) {
                move = wanted;
                dispatch(new PrimaryEvent.SwitchoverRequested(guest.sharesDisks()));
              } else {
                wanted.failed(machine.reason());
              }
            });
    if (!asked) {
      wanted.failed(machine.reason());
    }
    return wanted.done();
  }

  private void settleMove() {
    Move over = move;
    if (over == null || machine.state() == VmState.SWITCHING) {
      return;
    }
    move = null;
    if (over.isConfirmed() && machine.ended()) {
      over.succeeded(machine.newest());
    } else {
      over.failed(machine.reason());
    }
  }

  /**
   * A step towards protection that failed ends the attempt; one that keeps others safe is repeated.
   */
  private Performer.Outcome failed(PrimaryAction action, Throwable why) {
    String name = action.getClass().getSimpleName().toLowerCase(Locale.ROOT);
    around.events().vm(Level.ERROR, vm, name + " failed: " + why.getMessage());
    if (action instanceof PrimaryAction.DestroyGuest
        || action instanceof PrimaryAction.ResumeGuest
        || action instanceof PrimaryAction.Unplug
        || action instanceof PrimaryAction.DropOutput) {
      return Performer.Outcome.RETRY;
    }
    if (action instanceof PrimaryAction.Persist persist) {
      return notPersisted(persist.role(), why);
    }
    if (action instanceof PrimaryAction.Prepare) {
      dispatch(new PrimaryEvent.Refused(why.getMessage()));
    } else if (action instanceof PrimaryAction.Synchronise) {
      dispatch(new PrimaryEvent.EpochsFailed(why.getMessage()));
    } else if (action instanceof PrimaryAction.Plug) {
      dispatch(new PrimaryEvent.EpochsFailed(why.getMessage()));
      return Performer.Outcome.DROP_REST;
    } else if (action instanceof PrimaryAction.NoteStop) {
      record.forgetStop();
      dispatch(new PrimaryEvent.SwitchoverRefused(around.notPersisted(vm, why)));
      return Performer.Outcome.DROP_REST;
    }
    return Performer.Outcome.SKIP;
  }

  /**
   * What is not on disk may not be acted on; that nothing is protected any more may, unless a
   * standby may still wait to be handed the VM.
   */
  private Performer.Outcome notPersisted(Role role, Throwable why) {
    return switch (role) {
      case PRIMARY -> {
        dispatch(new PrimaryEvent.Refused(around.notPersisted(vm, why)));
        yield Performer.Outcome.DROP_REST;
      }
      case SUPERSEDED -> {
        boolean guestWaits = machine.state() == VmState.SWITCHING;
        if (guestWaits) {
          dispatch(new PrimaryEvent.HandOverFailed(around.notPersisted(vm, why)));
        }
        yield guestWaits ? Performer.Outcome.DROP_REST : Performer.Outcome.RETRY;
      }
      default -> machine.standbyMayWait() ? Performer.Outcome.RETRY : Performer.Outcome.SKIP;
    };
  }

  private void perform(PrimaryAction action) throws IOException, GuestException {
    if (action instanceof PrimaryAction.Release a) {
      replication.release(a.ack(), a.marker());
      if (move != null) {
        move.acked();
      }
    } else if (action instanceof PrimaryAction.Connect) {
      connect();
    } else if (action instanceof PrimaryAction.Prepare) {
      prepare();
    } else if (action instanceof PrimaryAction.Synchronise) {
      forbidMigration();
      replication.start(connection, wish, new FromLoop());
      accepted.complete(null);
    } else if (action instanceof PrimaryAction.Plug) {
      replication.plug(
          why -> tell(new PrimaryEvent.EpochsFailed("output cannot be released: " + why)));
    } else if (action instanceof PrimaryAction.RunEpochs) {
      pulse.awake();
      replication.runEpochs();
    } else if (action instanceof PrimaryAction.FinishEpochs) {
      replication.finishEpochs();
    } else if (action instanceof PrimaryAction.NoteStop) {
      record.noteStop(Role.PRIMARY, machine.term());
    } else if (action instanceof PrimaryAction.StopGuest) {
      replication.stopGuest(move::stops);
      overdueAfter(SWITCHOVER_LIMIT_MS);
    } else if (action instanceof PrimaryAction.ResumeGuest) {
      around.hypervisor().resume(uuid, vm);
      record.forgetStop();
    } else if (action instanceof PrimaryAction.HaltEpochs) {
      replication.haltEpochs();
    } else if (action instanceof PrimaryAction.VoidStandby) {
      voidStandby();
    } else if (action instanceof PrimaryAction.AskPeer) {
      askPeer();
    } else if (action instanceof PrimaryAction.AskPeerAgain) {
      lane.after(ASK_AGAIN_MS, this::askPeer);
    } else if (action instanceof PrimaryAction.AskArbiter) {
      askArbiter();
    } else if (action instanceof PrimaryAction.Unplug) {
      replication.unplug();
      allowMigration();
    } else if (action instanceof PrimaryAction.DropOutput) {
      replication.dropOutput();
    } else if (action instanceof PrimaryAction.Persist a) {
      record.save(
          a.role(),
          a.term(),
          returning || (accepted.isDone() && !accepted.isCompletedExceptionally()));
    } else if (action instanceof PrimaryAction.DestroyGuest) {
      around.hypervisor().destroy(uuid);
      record.forgetStop();
    } else if (action instanceof PrimaryAction.HandOver a) {
      handOver(a.term());
    } else if (action instanceof PrimaryAction.Disconnect) {
      disconnect();
    } else if (action instanceof PrimaryAction.Tell a) {
      around.events().state(a.level(), vm, machine.state(), a.message());
    } else if (action instanceof PrimaryAction.End) {
      end();
    }
  }

  /** A VM whose memory QEMU does not let go unasked is no less protected when it does. */
  private void forbidMigration() {
    try {
      guest.forbidMigration();
    } catch (GuestException e) {
      around
          .events()
          .vm(
              Level.WARNING,
              vm,
              "migrating or saving it will not be refused while it is protected: "
                  + e.getMessage());
    }
  }

  private void allowMigration() {
    try {
      around.hypervisor().allowMigration(uuid, vm);
    } catch (GuestException e) {
      around
          .events()
          .vm(Level.WARNING, vm, "migrating and saving it is still refused: " + e.getMessage());
    }
  }

  private void connect() {
    around
        .dialer()
        .dial(peer.address(), Purpose.REPLICATE, made -> new FromBackup())
        .whenComplete((made, failure) -> lane.execute(() -> connected(made, failure)));
  }

  private void connected(PeerConnection made, Throwable failure) {
    if (failure != null) {
      dispatch(
          new PrimaryEvent.Refused(
              "cannot connect to backup " + peer.name() + ": " + Causes.message(failure)));
    } else if (machine.ended()) {
      made.close();
    } else {
      connection = made;
      pulse.heard();
      pulse.on(made);
      dispatch(new PrimaryEvent.Connected());
    }
  }

  private void prepare() throws GuestException {
    send(
        new Frame.Prepare(
            vm,
            uuid,
            machine.term().number(),
            guest.xml(),
            guest.inactiveXml(),
            guest.machine(),
            around.hypervisor().emulatorVersion(),
            Replication.blocks(guest),
            guest.disks(),
            wish.diskDurability(),
            wish.intervalMs(),
            wish.idleIntervalMs(),
            around.timeoutMs(),
            wish.spares()));
  }

  private void askPeer() {
    around
        .inquiry()
        .ask(
            peer.paths(),
            uuid,
            returning ? ASK_AFTER_RETURN_MS : askAfterLossMs(),
            PeerInquiry.Signs.IGNORED,
            new FromInquiry())
        .whenComplete(
            (answer, failure) ->
                lane.execute(
                    () -> {
                      if (failure == null) {
                        inquiry = answer.connection();
                        answered(answer.record());
                      } else if (Causes.root(failure) instanceof PeerInquiry.UnansweredException) {
                        lane.after(ASK_AGAIN_MS, this::askPeer);
                      } else {
                        unreachable();
                      }
                    }));
  }

  /** The peer was well a moment ago; without an answer in this time it is gone. */
  private long askAfterLossMs() {
    return Math.max(ASK_AFTER_LOSS_MS, around.timeoutMs() / 2);
  }

  private void answered(Frame.VmRecord known) {
    // Under the next term it had taken the VM, and failed to bring it to life.
    if (known.role() == Role.NONE && known.term() <= machine.term().next().number()) {
      dispatch(new PrimaryEvent.StandbyVoided());
    } else if (known.term() > machine.term().number()) {
      dispatch(new PrimaryEvent.PeerNewer(new Term(known.term())));
    } else if (known.role() == Role.STANDBY) {
      dispatch(new PrimaryEvent.PeerStandby(guestRuns()));
    } else {
      around
          .events()
          .vm(
              Level.ERROR,
              vm,
              "%s says it is '%s' of the VM under term %d; this host's term is %s"
                  .formatted(peer.name(), known.role(), known.term(), machine.term()));
      unreachable();
    }
  }

  private void unreachable() {
    dispatch(new PrimaryEvent.PeerUnreachable(guestRuns()));
  }

  private void askArbiter() {
    around
        .arbiter()
        .goAlone(pair())
        .thenAccept(verdict -> tell(new PrimaryEvent.ArbiterSaid(verdict)));
  }

  private Pair pair() {
    return new Pair(uuid, vm, machine.term(), around.config().host(), peer.name());
  }

  private boolean guestRuns() {
    try {
      return around.hypervisor().runs(uuid);
    } catch (GuestException e) {
      around.events().vm(Level.WARNING, vm, e.getMessage());
      // To give up a running guest would lose what it has shown to the world.
      return true;
    }
  }

  private void voidStandby() {
    send(new Frame.Stop(machine.term().number()));
    lane.after(
        STOP_LIMIT_MS,
        () -> {
          if (machine.state() == VmState.STOPPING) {
            dispatch(new PrimaryEvent.LinkLost("it does not give its standby up"));
          } else if (!machine.ended()) {
            disconnect();
            askPeer();
          }
        });
  }

  private void handOver(Term term) {
    yieldedTo = term;
    publish();
    send(new Frame.Yield(term.number()));
    if (move != null) {
      move.handedOver(connection);
      overdueAfter(CONFIRM_LIMIT_MS);
    }
  }

  private void overdueAfter(long limitMs) {
    Move under = move;
    Term step = machine.newest();
    lane.after(
        limitMs,
        () -> {
          if (move == under && machine.newest().equals(step)) {
            dispatch(new PrimaryEvent.SwitchoverOverdue());
          }
        });
  }

  private void send(Frame frame) {
    PeerConnection route = inquiry != null ? inquiry : connection;
    if (route != null) {
      route.sendNow(frame);
    }
  }

  private void disconnect() {
    pulse.on(null);
    if (connection != null) {
      connection.close();
      connection = null;
    }
    if (inquiry != null) {
      inquiry.close();
      inquiry = null;
    }
  }

  private void end() {
    if (machine.state() == VmState.FENCED) {
      yieldedTo = machine.newest();
      publish();
    }
    try {
      replication.close();
    } catch (GuestException e) {
      around.events().vm(Level.WARNING, vm, e.getMessage());
    }
    if (guest != null) {
      guest.close();
    }
    around.queues().giveBack(vm);
    if (connection != null) {
      // A hand-over was the last word; the peer closes when it has heard it.
      lane.after(ASK_AGAIN_MS, this::disconnect);
    }
    boolean refused = !accepted.isDone();
    if (refused) {
      accepted.completeExceptionally(
          new GuestException(GuestException.Kind.UNPROTECTABLE, machine.reason(), ""));
    }
    pulse.close();
    lane.after(2 * ASK_AGAIN_MS, lane::close);
    ended.complete(null);
  }

  private void look() {
    if (connection == null || machine.ended() || machine.state() == VmState.CONNECTING) {
      return;
    }
    if (++looks % RULES_EVERY == 0) {
      lookForRules();
    }
    Optional<Long> waitsSinceNs = replication.waitsSinceNs();
    if (pulse.verdict(machine.exposed()) == SilenceMonitor.Verdict.LOST) {
      dispatch(new PrimaryEvent.LinkLost("silent for " + pulse.silentNs() / 1_000_000 + " ms"));
    } else if (waitsSinceNs.isPresent() && System.nanoTime() - waitsSinceNs.get() > ACK_LIMIT_NS) {
      dispatch(new PrimaryEvent.LinkLost("it lives but has taken nothing for 10 s"));
    }
  }

  /** Without its rules the guest's output leaves unheld. */
  private void lookForRules() {
    try {
      if (!replication.rulesHold()) {
        dispatch(
            new PrimaryEvent.EpochsFailed(
                "its output rules are gone; somebody flushed the nftables ruleset of this host"));
      }
    } catch (NativeException e) {
      around.events().vm(Level.WARNING, vm, e.getMessage());
    }
  }

  /** libvirt says that the guest ended here. */
  void guestEnded(boolean crashed, String detail) {
    tell(
        crashed
            ? new PrimaryEvent.GuestCrashed("QEMU " + detail)
            : new PrimaryEvent.GuestEnded(detail));
  }

  /**
   * Compares the standby with the guest. Fails when the VM is not protected, is being verified
   * already, or does not stay protected meanwhile.
   */
  CompletableFuture<VerificationReport> verify() {
    CompletableFuture<VerificationReport> report = new CompletableFuture<>();
    boolean queued = lane.execute(() -> verify(report));
    if (!queued) {
      report.completeExceptionally(new IllegalStateException("its protection has ended"));
    }
    return report;
  }

  /** How far that is; empty when no comparison is going on. */
  Optional<VerificationProgress> verification() {
    return replication.verification();
  }

  private void verify(CompletableFuture<VerificationReport> report) {
    try {
      if (machine.state() != VmState.PROTECTED) {
        throw new IllegalStateException("it is not protected any more");
      }
      replication
          .verify(connection, machine.term())
          .whenComplete(
              (found, failure) -> {
                if (failure == null) {
                  report.complete(found);
                } else {
                  report.completeExceptionally(failure);
                }
              });
    } catch (NativeException | IllegalStateException e) {
      report.completeExceptionally(e);
    }
  }

  VmStatus status() {
    VmView seen = view;
    return new VmStatus(
        vm,
        uuid,
        VmRole.PRIMARY,
        seen.state(),
        seen.reason(),
        seen.since(),
        peer.name(),
        wish.spares(),
        seen.term().number(),
        wish.intervalMs(),
        wish.idleIntervalMs(),
        replication.disks(),
        replication.disks().isEmpty() ? null : wish.diskDurability(),
        replication.tracker(),
        replication.output(),
        replication.epochs(),
        seen.state() == VmState.SYNCING ? replication.sync() : null,
        replication.figures(),
        null,
        around.warnings(peer));
  }

  /**
   * An ack that waited here while this agent stood still may be of a backup that took over since.
   */
  private void acked(DurableAck ack) {
    dispatch(
        pulse.overslept()
            ? new PrimaryEvent.LinkLost("this agent stood still for longer than the timeout")
            : new PrimaryEvent.Acked(ack));
  }

  /** What the backup says, on the event loop. */
  private class FromBackup implements FrameListener {
    @Override
    public void onFrame(Frame frame) {
      pulse.heard();
      if (frame instanceof Frame.Credit f) {
        replication.grant(f.bytes());
      } else if (frame instanceof Frame.Ack f) {
        lane.execute(() -> acked(DurableAck.of(f)));
      } else if (frame instanceof Frame.BlockHashes f) {
        learn(f);
      } else if (frame instanceof Frame.Prepared f) {
        replication.grant(f.credit());
        tell(new PrimaryEvent.Prepared());
      } else if (frame instanceof Frame.Refused f) {
        tell(new PrimaryEvent.Refused(f.message()));
      } else if (frame instanceof Frame.Failed f) {
        tell(new PrimaryEvent.StandbyFailed(f.message()));
      } else if (frame instanceof Frame.Stopped f && f.term() == machine.term().number()) {
        tell(new PrimaryEvent.StandbyVoided());
      } else if (frame instanceof Frame.VmRecord f) {
        Move under = move;
        if (under != null && f.role() == Role.ACTIVE) {
          under.runs();
        }
        lane.execute(() -> answered(f));
      } else if (frame instanceof Frame.Claim f) {
        tell(new PrimaryEvent.PeerClaims(new Term(f.term())));
      } else if (!(frame instanceof Frame.Heartbeat)) {
        lane.execute(() -> replication.hear(frame));
      }
    }

    private void learn(Frame.BlockHashes told) {
      try {
        replication.learn(told);
      } catch (IllegalArgumentException e) {
        throw new ProtocolException(e.getMessage(), e);
      }
    }

    @Override
    public void onClosed(PeerException cause) {
      replication.linkClosed();
      tell(new PrimaryEvent.LinkLost(Causes.message(cause)));
    }
  }

  /** What the peer says after its answer to a question. */
  private final class FromInquiry extends FromBackup {
    @Override
    public void onClosed(PeerException cause) {
      lane.execute(
          () -> {
            if (inquiry != null && !machine.ended()) {
              inquiry = null;
              askPeer();
            }
          });
    }
  }

  /** What the epoch loop says, on its thread. */
  private final class FromLoop implements EpochListener {
    @Override
    public void synchronised() {
      tell(new PrimaryEvent.Synchronised());
    }

    @Override
    public void captured(EpochId epoch, long marker, EpochTimes times) {
      pulse.spoke();
      lane.execute(
          () -> {
            replication.captured(times);
            if (move != null) {
              move.captured(epoch, times);
            }
            dispatch(new PrimaryEvent.Captured(epoch, marker));
          });
    }

    @Override
    public void finished() {
      tell(new PrimaryEvent.EpochsFinished());
    }

    @Override
    public void failed(String reason) {
      if (guest.lives()) {
        failedAlive(reason);
      } else {
        // libvirt's event tells whether somebody wanted this; it comes soon or not at all.
        lane.after(
            CRASH_NOTICE_MS,
            () -> dispatch(new PrimaryEvent.GuestCrashed("the QEMU process is gone")));
      }
    }

    /** Memory that was unplugged, for one, fails a capture before anybody has looked. */
    private void failedAlive(String reason) {
      String misfit = misfit();
      outgrown = misfit != null;
      tell(
          outgrown ? new PrimaryEvent.GuestChanged(misfit) : new PrimaryEvent.EpochsFailed(reason));
    }

    private String misfit() {
      try {
        return guest.look().misfit();
      } catch (GuestException e) {
        // Then it is the capture's own reason that counts.
        around.events().vm(Level.WARNING, vm, e.getMessage());
        return null;
      }
    }
  }
}
