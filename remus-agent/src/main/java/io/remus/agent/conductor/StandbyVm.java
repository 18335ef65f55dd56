package io.remus.agent.conductor;

import io.remus.agent.drill.Original;
import io.remus.agent.guest.GuestException;
import io.remus.agent.input.GuestInput;
import io.remus.agent.nativeio.NativeException;
import io.remus.agent.peer.FrameListener;
import io.remus.agent.peer.PeerConnection;
import io.remus.agent.peer.PeerException;
import io.remus.agent.term.VmRecord;
import io.remus.agent.term.Wish;
import io.remus.core.control.EventRecord.Level;
import io.remus.core.control.VmRole;
import io.remus.core.control.VmState;
import io.remus.core.control.VmStatus;
import io.remus.core.epoch.EpochId;
import io.remus.core.epoch.Term;
import io.remus.core.failover.Role;
import io.remus.core.failover.SilenceMonitor;
import io.remus.core.standby.StandbyAction;
import io.remus.core.standby.StandbyEvent;
import io.remus.core.standby.StandbyMachine;
import io.remus.core.wire.DiskImage;
import io.remus.core.wire.Frame;
import io.remus.core.wire.ProtocolException;
import io.remus.core.wire.RefusalCode;
import java.io.IOException;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * One VM that this host stands by for: performs what its {@link StandbyMachine} decides. Receiving,
 * staging, committing, applying and activating all happen on the VM's lane, in the order they came;
 * so an epoch is applied before anything runs from it.
 */
final class StandbyVm {
  private static final long CLAIM_LIMIT_MS = 5_000;
  private static final long LINGER_MS = 1_000;

  private final Surroundings around;
  private final Frame.Prepare prepare;
  private final Peer peer;
  private final Lane lane;
  private final StandbyMachine machine;
  private final Pulse pulse;
  private final Performer<StandbyAction> performer;
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private final CompletableFuture<Void> activated = new CompletableFuture<>();

  private volatile VmView view;
  private volatile VmStatus.Takeover takeover;
  private volatile boolean handedOver;
  private PeerConnection connection;
  private PeerConnection asker;
  private PeerConnection parting;
  private final AtomicLong outstandingBytes = new AtomicLong();
  private final GuestInput input = new GuestInput();
  private final Standby standby;
  private final SilentPrimary silent;

  /**
   * @param owedToOthers memory of this host that is promised to other standbys, in bytes
   */
  StandbyVm(
      Surroundings around,
      Frame.Prepare prepare,
      Peer peer,
      PeerConnection connection,
      LongSupplier owedToOthers) {
    this.around = around;
    this.prepare = prepare;
    this.peer = peer;
    this.connection = connection;
    this.lane = new Lane(prepare.vm());
    this.standby =
        new Standby(
            around,
            prepare,
            lane,
            new StandbyReplica(around, prepare, peer.name(), isSuperseded(around, prepare)),
            owedToOthers);
    this.machine = new StandbyMachine(peer.name(), new Term(prepare.term()));
    this.performer = new Performer<>(lane, this::perform, this::failed);
    this.pulse =
        new Pulse(
            around.clock(),
            around.heartbeatMs(),
            prepare.failoverTimeoutMs() * 1_000_000L,
            lane,
            this::look);
    pulse.on(connection);
    this.silent = new SilentPrimary(around, prepare, peer, lane, pulse);
    this.view =
        new VmView(Role.STANDBY, machine.term(), machine.state(), machine.reason(), Instant.now());
  }

  /** Begins; from now on frames of the primary go to the returned listener. */
  FrameListener start() {
    lane.execute(() -> performer.perform(machine.start()));
    return new FromPrimary();
  }

  String vm() {
    return prepare.vm();
  }

  String uuid() {
    return prepare.uuid();
  }

  /** Name of the primary. */
  String peer() {
    return peer.name();
  }

  VmView view() {
    return view;
  }

  /** What this standby may yet take of this host's memory, in bytes. */
  long owedBytes() {
    return ended.isDone() ? 0 : standby.owedBytes();
  }

  /**
   * Completes when this host has nothing more to do for the VM: it runs here, or its standby is
   * gone.
   */
  CompletableFuture<Void> ended() {
    return ended;
  }

  /** Whether the primary gave the VM up to this host, rather than being lost. */
  boolean wasHandedOver() {
    return handedOver;
  }

  /** Completes when the guest runs here; fails when the standby was given up. */
  CompletableFuture<Void> activated() {
    return activated;
  }

  /**
   * The agent stops: the primary is told to go on alone, unless it is missing and may need this
   * standby.
   */
  void agentStops() {
    lane.execute(
        () -> {
          if (machine.state() != VmState.SUSPECT) {
            dispatch(
                new StandbyEvent.StandbyLost(
                    "the agent on " + around.config().host() + " is stopping"));
          }
        });
  }

  /** What a drill clones; of use once the VM stands by. */
  Original original() {
    return standby.original();
  }

  /** Puts an event into the lane. */
  void tell(StandbyEvent event) {
    lane.execute(() -> dispatch(event));
  }

  /** The primary speaks over a connection that it made to ask; answers go there. */
  void tellFrom(PeerConnection from, StandbyEvent event) {
    lane.execute(
        () -> {
          asker = from;
          dispatch(event);
          asker = null;
        });
  }

  private void dispatch(StandbyEvent event) {
    handedOver |= event instanceof StandbyEvent.Yielded;
    performer.perform(machine.on(event));
    publish();
  }

  /** After a claim is on disk, not before: until then this host may still say STOPPED. */
  private void publish() {
    Role role =
        switch (machine.state()) {
          case ACTIVATING, ACTIVE -> Role.ACTIVE;
          case UNPROTECTED -> Role.NONE;
          default -> Role.STANDBY;
        };
    view = view.now(role, machine.term(), machine.state(), machine.reason());
  }

  private Performer.Outcome failed(StandbyAction action, Throwable why) {
    String name = action.getClass().getSimpleName().toLowerCase(Locale.ROOT);
    around.events().vm(Level.ERROR, vm(), name + " failed: " + why.getMessage());
    if (action instanceof StandbyAction.StartStandby) {
      String advice = why instanceof GuestException g ? ". " + g.advice() : "";
      dispatch(new StandbyEvent.StartFailed(why.getMessage() + advice));
    } else if (action instanceof StandbyAction.Persist persist && persist.role() == Role.STANDBY) {
      dispatch(new StandbyEvent.StartFailed(around.notPersisted(vm(), why)));
      return Performer.Outcome.DROP_REST;
    } else if (action instanceof StandbyAction.Persist
        || action instanceof StandbyAction.DestroyStandby) {
      // What is not on disk may not be acted on, and a standby that was given up must not stay.
      return Performer.Outcome.RETRY;
    } else if (action instanceof StandbyAction.Commit) {
      dispatch(new StandbyEvent.StandbyLost("an epoch could not be applied: " + why.getMessage()));
      return Performer.Outcome.DROP_REST;
    } else if (action instanceof StandbyAction.Activate) {
      dispatch(new StandbyEvent.ActivationFailed(why.getMessage()));
    }
    return Performer.Outcome.SKIP;
  }

  private void perform(StandbyAction action) throws IOException, GuestException {
    if (action instanceof StandbyAction.Commit a) {
      giveCredit(standby.commit(a.epoch(), ack -> send(connection, ack)));
    } else if (action instanceof StandbyAction.StartStandby) {
      startStandby();
    } else if (action instanceof StandbyAction.SendPrepared) {
      send(connection, new Frame.Prepared(around.config().memory().stage()));
    } else if (action instanceof StandbyAction.SendRefused a) {
      send(connection, new Frame.Refused(RefusalCode.STANDBY_FAILED, a.reason()));
    } else if (action instanceof StandbyAction.Persist a) {
      persist(a.role(), a.term());
      publish();
    } else if (action instanceof StandbyAction.AskPrimary) {
      silent.ask(this::primaryAnswered);
    } else if (action instanceof StandbyAction.AskArbiter) {
      silent.askArbiter(verdict -> tell(new StandbyEvent.ArbiterSaid(verdict)));
    } else if (action instanceof StandbyAction.SendClaim a) {
      send(connection, new Frame.Claim(a.term().number()));
      lane.after(CLAIM_LIMIT_MS, () -> dispatch(new StandbyEvent.ClaimUnanswered()));
    } else if (action instanceof StandbyAction.Activate) {
      activate();
    } else if (action instanceof StandbyAction.SendStopped) {
      send(asker != null ? asker : connection, new Frame.Stopped(prepare.term()));
    } else if (action instanceof StandbyAction.SendRecord a) {
      send(asker != null ? asker : parting, new Frame.VmRecord(a.term().number(), a.role()));
    } else if (action instanceof StandbyAction.SendFailed a) {
      send(connection, new Frame.Failed(a.reason()));
    } else if (action instanceof StandbyAction.DestroyStandby) {
      destroyStandby();
    } else if (action instanceof StandbyAction.Disconnect) {
      disconnect();
    } else if (action instanceof StandbyAction.Tell a) {
      around.events().state(a.level(), vm(), machine.state(), a.message());
    } else if (action instanceof StandbyAction.End) {
      end();
    }
  }

  private static void send(PeerConnection to, Frame frame) {
    if (to != null) {
      to.sendNow(frame);
    }
  }

  private void startStandby() throws GuestException, IOException {
    standby
        .start(connection, why -> tell(new StandbyEvent.StandbyLost(why.getMessage())))
        .whenComplete((told, failure) -> lane.execute(() -> started(failure)));
  }

  private void started(Throwable failure) {
    if (failure == null) {
      dispatch(new StandbyEvent.Started());
    } else {
      dispatch(
          new StandbyEvent.StartFailed(
              "the replica of VM %s cannot be used: %s".formatted(vm(), Causes.message(failure))));
    }
  }

  private void chunk(Frame.Chunk chunk) {
    if (!standby.receives() || machine.ended()) {
      chunk.release();
      return;
    }
    try {
      giveCredit(standby.take(chunk));
    } catch (ProtocolException e) {
      dispatch(new StandbyEvent.Unusable(e.getMessage()));
    } catch (IOException | RuntimeException | Error e) {
      dispatch(new StandbyEvent.StandbyLost("an epoch could not be staged: " + e.getMessage()));
    }
  }

  private void epochEnd(Frame.EpochEnd end) {
    if (!standby.receives() || machine.ended()) {
      return;
    }
    try {
      standby.stage(end);
      dispatch(new StandbyEvent.Staged(new EpochId(end.epoch())));
      standby.dropStaged();
    } catch (ProtocolException e) {
      dispatch(new StandbyEvent.Unusable(e.getMessage()));
    } catch (IOException | RuntimeException | Error e) {
      dispatch(new StandbyEvent.StandbyLost("an epoch could not be staged: " + e.getMessage()));
    }
  }

  private void giveCredit(long bytes) {
    if (bytes > 0) {
      outstandingBytes.addAndGet(-bytes);
      send(connection, new Frame.Credit(bytes));
    }
  }

  private void activate() throws GuestException, IOException {
    long claimedAtNs = System.nanoTime();
    long silentNs = pulse.silentNs();
    standby.activate();
    long runsAtNs = System.nanoTime();
    carried(() -> input.guestRuns(standby.taps()));
    takeover =
        new VmStatus.Takeover(
            standby.committedEpoch(),
            silentNs / 1e6,
            (runsAtNs - claimedAtNs) / 1e6,
            Instant.now());
    dispatch(new StandbyEvent.Activated());
    if (standby.held()) {
      around
          .events()
          .vm(
              Level.WARNING,
              vm(),
              "it stood still on %s, as its admin or its on_crash wanted, and does so here; to let it run: virsh resume %s"
                  .formatted(peer.name(), vm()));
    }
    activated.complete(null);
    standby.settleGuest();
  }

  private interface Carrying {
    void carry() throws NativeException;
  }

  /** A packet that is lost is sent again by TCP. */
  private void carried(Carrying carrying) {
    try {
      carrying.carry();
    } catch (NativeException e) {
      around.events().vm(Level.WARNING, vm(), "a packet was lost on its way: " + e.getMessage());
    }
  }

  private void persist(Role role, Term term) throws IOException {
    Role known = around.terms().find(uuid()).map(VmRecord::role).orElse(Role.NONE);
    if (role == Role.NONE && known == Role.NONE) {
      // It never stood by on disk.
      return;
    }
    around
        .terms()
        .save(
            new VmRecord(
                uuid(),
                vm(),
                term.number(),
                role,
                new Wish(
                    peer.name(),
                    prepare.intervalMs(),
                    prepare.idleIntervalMs(),
                    prepare.disks().isEmpty(),
                    prepare.durability(),
                    prepare.spares()),
                VmRecord.NO_QUEUE,
                false,
                role == Role.ACTIVE));
  }

  /** Before this standby has a record of its own. */
  private static boolean isSuperseded(Surroundings around, Frame.Prepare prepare) {
    return around.terms().find(prepare.uuid()).map(VmRecord::role).orElse(Role.NONE)
        == Role.SUPERSEDED;
  }

  private void primaryAnswered(Frame.VmRecord record) {
    if (record.term() < prepare.term()) {
      // It has lost its memory; nothing may be concluded from that.
      return;
    }
    if (record.role() == Role.PRIMARY && record.term() == prepare.term()) {
      dispatch(new StandbyEvent.PrimaryAnswered());
    } else if (record.role() == Role.SUPERSEDED) {
      dispatch(new StandbyEvent.Yielded(new Term(record.term())));
    } else {
      dispatch(new StandbyEvent.PrimaryEnded(peer.name() + " went on without this standby"));
    }
  }

  /** Only what was started here: a VM of that name that was refused is somebody else's. */
  private void destroyStandby() throws GuestException {
    if (standby.isStarted()) {
      around.hypervisor().destroy(uuid());
    }
  }

  private void disconnect() {
    PeerConnection closing = connection;
    connection = null;
    pulse.on(null);
    if (closing == null) {
      return;
    }
    if (machine.state() == VmState.SUSPECT || machine.state() == VmState.CLAIMING) {
      closing.close();
    } else {
      parting = closing;
      // Closing with unread chunks would reset the connection and lose the last word on its way.
      lane.after(LINGER_MS, closing::close);
    }
  }

  private void end() {
    standby.close(machine.state() == VmState.ACTIVE);
    if (machine.state() != VmState.ACTIVE) {
      activated.completeExceptionally(
          new GuestException(GuestException.Kind.UNPROTECTABLE, machine.reason(), ""));
    }
    pulse.close();
    lane.after(2 * LINGER_MS, this::closeLane);
    ended.complete(null);
  }

  private void closeLane() {
    input.close();
    lane.close();
  }

  private void look() {
    if (machine.ended()) {
      return;
    }
    SilenceMonitor.Verdict verdict = pulse.verdict(machine.committed() != null);
    if (verdict == SilenceMonitor.Verdict.LOST) {
      dispatch(
          silent.agentMayReturn() ? new StandbyEvent.AgentMissing() : new StandbyEvent.Expired());
    } else if (verdict == SilenceMonitor.Verdict.SUSPECT) {
      dispatch(new StandbyEvent.Suspected());
    } else {
      dispatch(new StandbyEvent.Heard());
    }
    if (machine.state() == VmState.SUSPECT) {
      silent.ask(this::primaryAnswered);
    }
  }

  VmStatus status() {
    VmView seen = view;
    long committed = standby.committedEpoch();
    return new VmStatus(
        vm(),
        uuid(),
        VmRole.STANDBY,
        seen.state(),
        seen.reason(),
        seen.since(),
        peer.name(),
        prepare.spares(),
        seen.term().number(),
        prepare.intervalMs(),
        prepare.idleIntervalMs(),
        prepare.disks().stream().map(DiskImage::target).toList(),
        prepare.disks().isEmpty() ? null : prepare.durability(),
        null,
        null,
        committed == 0 ? null : VmStatus.Epochs.ofStandby(committed),
        null,
        null,
        takeover,
        around.warnings(peer));
  }

  /** What the primary says, on the event loop. */
  private final class FromPrimary implements FrameListener {
    @Override
    public void onFrame(Frame frame) {
      pulse.heard();
      if (frame instanceof Frame.Chunk f) {
        received(f);
      } else if (frame instanceof Frame.EpochEnd f) {
        lane.execute(() -> epochEnd(f));
      } else if (frame instanceof Frame.Input f) {
        carried(() -> input.take(f));
      } else if (frame instanceof Frame.Stop f) {
        tell(new StandbyEvent.StopReceived(new Term(f.term())));
      } else if (frame instanceof Frame.Yield f) {
        tell(new StandbyEvent.Yielded(new Term(f.term())));
      } else if (frame instanceof Frame.Verify f) {
        whileConnected(() -> standby.verify(f, connection));
      } else if (frame instanceof Frame.VerifyEpoch f) {
        whileConnected(() -> standby.verify(f, connection));
      } else if (!(frame instanceof Frame.Heartbeat)) {
        tell(new StandbyEvent.Unusable("unexpected " + frame.getClass().getSimpleName()));
      }
    }

    private void whileConnected(Runnable work) {
      lane.execute(
          () -> {
            if (connection != null && !machine.ended()) {
              work.run();
            }
          });
    }

    /** Counted before it waits for the lane: no more than the credit is ever kept. */
    private void received(Frame.Chunk chunk) {
      long bytes = chunk.bytes();
      boolean within = outstandingBytes.addAndGet(bytes) <= around.config().memory().stage();
      if (!within || !lane.execute(() -> chunk(chunk))) {
        chunk.release();
      }
      if (!within) {
        throw new ProtocolException(peer.name() + " sent more than its credit");
      }
    }

    @Override
    public void onClosed(PeerException cause) {
      tell(new StandbyEvent.LinkLost(Causes.message(cause)));
    }
  }
}
