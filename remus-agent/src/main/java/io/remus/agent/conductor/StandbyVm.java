package io.remus.agent.conductor;

import io.remus.agent.arbiter.Pair;
import io.remus.agent.commit.Committer;
import io.remus.agent.drill.Original;
import io.remus.agent.guest.GuestException;
import io.remus.agent.guest.StandbyGuest;
import io.remus.agent.input.GuestInput;
import io.remus.agent.nativeio.MemoryBlock;
import io.remus.agent.nativeio.NativeException;
import io.remus.agent.nativeio.StandbyMemory;
import io.remus.agent.peer.FrameListener;
import io.remus.agent.peer.PeerConnection;
import io.remus.agent.peer.PeerException;
import io.remus.agent.receive.EpochReceiver;
import io.remus.agent.stage.EpochStage;
import io.remus.agent.term.VmRecord;
import io.remus.agent.term.Wish;
import io.remus.agent.verify.ReplicaVerification;
import io.remus.agent.verify.StandbyVerification;
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
import io.remus.core.wire.RamBlock;
import io.remus.core.wire.RefusalCode;
import java.io.IOException;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * One VM that this host stands by for: performs what its {@link StandbyMachine} decides. Receiving,
 * staging, committing, applying and activating all happen on the VM's lane, in the order they came;
 * so an epoch is applied before anything runs from it.
 */
final class StandbyVm {
  private static final long CLAIM_LIMIT_MS = 5_000;
  private static final long ASK_ARBITER_EVERY_NS = 500_000_000L;
  private static final int ACTIVATION_ATTEMPTS = 20;
  private static final long ACTIVATION_RETRY_NS = 500_000_000L;
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
  private volatile long committedEpoch;
  private volatile VmStatus.Takeover takeover;
  private volatile boolean handedOver;
  private PeerConnection connection;
  private PeerConnection asker;
  private PeerConnection parting;
  private boolean asking;
  private long askArbiterAtNs = System.nanoTime();
  private volatile Long agentMissingAtNs;
  private final AtomicLong outstandingBytes = new AtomicLong();
  private final GuestInput input = new GuestInput();
  private final StandbyReplica replica;
  private final LongSupplier owedToOthers;
  private volatile StandbyGuest guest;
  private StandbyMemory memory;
  private Committer committer;
  private EpochReceiver receiver;
  private EpochStage staged;
  private volatile CloneFeed feed;
  private StandbyVerification verification;
  private boolean stagedHeld;

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
    this.owedToOthers = owedToOthers;
    this.prepare = prepare;
    this.peer = peer;
    this.connection = connection;
    this.lane = new Lane(prepare.vm());
    this.replica = new StandbyReplica(around, prepare, peer.name(), isSuperseded(around, prepare));
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
    if (ended.isDone()) {
      return 0;
    }
    StandbyGuest started = guest;
    return started != null
        ? started.owedBytes()
        : prepare.blocks().stream().mapToLong(RamBlock::bytes).sum();
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

  private long owedByHost() {
    return owedToOthers.getAsLong() + owedBytes();
  }

  /** What a drill clones; of use once the VM stands by. */
  Original original() {
    return feed;
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
      commit(a.epoch());
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
      askPrimary();
    } else if (action instanceof StandbyAction.AskArbiter) {
      askArbiter();
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
      to.send(frame);
      to.flush();
    }
  }

  private void startStandby() throws GuestException, IOException {
    replica.open(why -> tell(new StandbyEvent.StandbyLost(why.getMessage())));
    guest =
        StandbyGuest.start(
            around.hypervisor(), replica.model(), CloneFeed.ram(prepare), owedToOthers.getAsLong());
    memory = new StandbyMemory(guest.pid(), guest.memory());
    memory.blank();
    committer = new Committer(new Term(prepare.term()), memory, replica.disks());
    feed = new CloneFeed(lane, prepare, this::owedByHost, committer, replica, () -> committedEpoch);
    receiver =
        new EpochReceiver(
            around.stageDirectory(),
            around.config().memory().stage() / 2,
            MemoryBlock.pages(guest.memory()),
            prepare.disks());
    PeerConnection primary = connection;
    replica
        .tellHashes(primary)
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
    if (receiver == null || machine.ended()) {
      chunk.release();
      return;
    }
    try {
      giveCredit(receiver.chunk(chunk, committer));
    } catch (ProtocolException e) {
      dispatch(new StandbyEvent.Unusable(e.getMessage()));
    } catch (IOException | RuntimeException | Error e) {
      dispatch(new StandbyEvent.StandbyLost("an epoch could not be staged: " + e.getMessage()));
    }
  }

  private void epochEnd(Frame.EpochEnd end) {
    if (receiver == null || machine.ended()) {
      return;
    }
    try {
      staged = receiver.end(end);
      stagedHeld = end.held();
      dispatch(new StandbyEvent.Staged(new EpochId(end.epoch())));
      if (staged != null) {
        // It came too late to be committed.
        staged.close();
        staged = null;
      }
    } catch (ProtocolException e) {
      dispatch(new StandbyEvent.Unusable(e.getMessage()));
    } catch (IOException | RuntimeException | Error e) {
      dispatch(new StandbyEvent.StandbyLost("an epoch could not be staged: " + e.getMessage()));
    }
  }

  private void commit(EpochId epoch) throws IOException {
    EpochStage stage = staged;
    staged = null;
    send(connection, committer.commit(epoch, stage, stagedHeld));
    committedEpoch = epoch.number();
    giveCredit(committer.apply());
  }

  private void giveCredit(long bytes) {
    if (bytes > 0) {
      outstandingBytes.addAndGet(-bytes);
      send(connection, new Frame.Credit(bytes));
    }
  }

  /** The primary wants to compare. */
  private void verify(Frame.Verify asked) {
    endVerification();
    if (memory == null || machine.ended() || asked.term() != prepare.term()) {
      return;
    }
    PeerConnection primary = connection;
    try {
      ReplicaVerification disks = replica.verify(asked.disks(), primary);
      try {
        verification =
            new StandbyVerification(
                guest.pid(),
                guest.memory(),
                memory,
                disks,
                new Term(prepare.term()),
                frame -> send(primary, frame),
                lane::after);
      } catch (NativeException e) {
        disks.close();
        throw e;
      }
      verification.work();
    } catch (IOException | RuntimeException e) {
      send(primary, new Frame.Unverified(String.valueOf(e.getMessage())));
    }
  }

  /** Nothing of a later epoch has been applied: it comes behind this on the lane. */
  private void verify(Frame.VerifyEpoch asked) {
    try {
      if (verification == null || asked.epoch() != committedEpoch) {
        throw new IOException("it is at epoch %d, not %d".formatted(committedEpoch, asked.epoch()));
      }
      verification.tell(committedEpoch);
    } catch (IOException e) {
      send(connection, new Frame.Unverified(e.getMessage()));
      endVerification();
    }
  }

  private void endVerification() {
    if (verification != null) {
      verification.close();
      verification = null;
    }
  }

  private void activate() throws GuestException, IOException {
    long claimedAtNs = System.nanoTime();
    endVerification();
    long silentNs = pulse.silentNs();
    feed.stop("VM " + vm() + " is being taken over");
    closeReceiver();
    committer.settleToRun();
    activateWhileItWaits();
    long runsAtNs = System.nanoTime();
    carried(() -> input.guestRuns(guest.taps()));
    takeover =
        new VmStatus.Takeover(
            committedEpoch, silentNs / 1e6, (runsAtNs - claimedAtNs) / 1e6, Instant.now());
    dispatch(new StandbyEvent.Activated());
    if (committer.held()) {
      around
          .events()
          .vm(
              Level.WARNING,
              vm(),
              "it stood still on %s, as its admin or its on_crash wanted, and does so here; to let it run: virsh resume %s"
                  .formatted(peer.name(), vm()));
    }
    activated.complete(null);
    settleGuest();
  }

  private void settleGuest() {
    try {
      guest.settle();
    } catch (GuestException e) {
      around.events().vm(Level.WARNING, vm(), e.getMessage());
    }
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

  /** The only copy is not given up because libvirtd is being restarted. */
  private void activateWhileItWaits() throws GuestException {
    for (int attempt = 1; ; attempt++) {
      try {
        guest.activate(committer.deviceState(), committer.held());
        return;
      } catch (GuestException e) {
        if (attempt == ACTIVATION_ATTEMPTS || !stillWaits()) {
          throw e;
        }
        around.events().vm(Level.WARNING, vm(), "activation is tried again: " + e.getMessage());
        LockSupport.parkNanos(ACTIVATION_RETRY_NS);
      }
    }
  }

  private boolean stillWaits() {
    try {
      return guest.waits();
    } catch (GuestException e) {
      // libvirt does not answer; it may at the next attempt.
      return true;
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

  private void askPrimary() {
    if (asking) {
      return;
    }
    asking = true;
    around
        .inquiry()
        .ask(
            peer.paths(),
            uuid(),
            // So that signs of a host that lives are less than a timeout apart.
            prepare.failoverTimeoutMs() / 2,
            new SignsOfPrimary(),
            FrameListeners.DEAF)
        .whenComplete(
            (answer, failure) ->
                lane.execute(
                    () -> {
                      asking = false;
                      if (failure == null) {
                        answer.connection().close();
                        primaryAnswered(answer.record());
                      }
                    }));
  }

  /** Silence goes on while the arbiter cannot be asked, and with it the wish. */
  private void askArbiter() {
    long waitNs = askArbiterAtNs - System.nanoTime();
    askArbiterAtNs = System.nanoTime() + Math.max(0, waitNs) + ASK_ARBITER_EVERY_NS;
    lane.after(Math.max(0, waitNs / 1_000_000), this::askArbiterNow);
  }

  private void askArbiterNow() {
    around
        .arbiter()
        .takeOver(
            new Pair(uuid(), vm(), new Term(prepare.term()), peer.name(), around.config().host()))
        .thenAccept(verdict -> tell(new StandbyEvent.ArbiterSaid(verdict)));
  }

  /** On event loops. */
  private final class SignsOfPrimary implements PeerInquiry.Signs {
    @Override
    public void greeted() {
      pulse.heard();
    }

    @Override
    public void hostWithoutAgent() {
      agentMissingAtNs = System.nanoTime();
    }

    /** A young agent listens before it is quick to answer; one that is frozen was never missing. */
    @Override
    public void reached() {
      if (agentWasMissing()) {
        agentMissingAtNs = System.nanoTime();
      }
    }
  }

  private void primaryAnswered(Frame.VmRecord record) {
    pulse.heard();
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
    if (guest != null) {
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

  /** From here on nothing is staged any more. */
  private void closeReceiver() {
    if (receiver != null) {
      quietly(receiver::close);
      receiver = null;
    }
  }

  private void end() {
    if (feed != null) {
      feed.stop("the standby is gone");
    }
    closeReceiver();
    endVerification();
    if (memory != null) {
      memory.close();
    }
    if (committer != null && machine.state() != VmState.ACTIVE) {
      // What is committed and not in the images yet would wait there for the agent's next start.
      quietly(committer::settle);
    }
    quietly(replica::close);
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

  private interface Closing {
    void run() throws IOException;
  }

  /** Nothing else may stay open for it, nor may the VM be left without an end. */
  private void quietly(Closing closing) {
    try {
      closing.run();
    } catch (IOException | RuntimeException e) {
      around.events().vm(Level.WARNING, vm(), "while its standby was ended: " + e.getMessage());
    }
  }

  private void look() {
    if (machine.ended()) {
      return;
    }
    SilenceMonitor.Verdict verdict = pulse.verdict(machine.committed() != null);
    if (verdict == SilenceMonitor.Verdict.LOST) {
      dispatch(agentMayReturn() ? new StandbyEvent.AgentMissing() : new StandbyEvent.Expired());
    } else if (verdict == SilenceMonitor.Verdict.SUSPECT) {
      dispatch(new StandbyEvent.Suspected());
    } else {
      dispatch(new StandbyEvent.Heard());
    }
    if (machine.state() == VmState.SUSPECT) {
      askPrimary();
    }
  }

  /**
   * A host that said just now that nothing listens there is up, and holds the guest's output while
   * its agent is restarted. A host that dies after that is silent, and waited for no longer.
   */
  private boolean agentMayReturn() {
    return agentWasMissing()
        && pulse.silentNs() < around.config().failover().agentGrace().toNanos();
  }

  private boolean agentWasMissing() {
    Long missingAtNs = agentMissingAtNs;
    return missingAtNs != null
        && System.nanoTime() - missingAtNs < prepare.failoverTimeoutMs() * 1_000_000L;
  }

  VmStatus status() {
    VmView seen = view;
    long committed = committedEpoch;
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
        lane.execute(() -> verify(f));
      } else if (frame instanceof Frame.VerifyEpoch f) {
        lane.execute(() -> verify(f));
      } else if (!(frame instanceof Frame.Heartbeat)) {
        tell(new StandbyEvent.Unusable("unexpected " + frame.getClass().getSimpleName()));
      }
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
