package io.remus.agent.conductor;

import io.remus.agent.capture.EpochCapture;
import io.remus.agent.disk.DiskStream;
import io.remus.agent.guest.GuestException;
import io.remus.agent.guest.RunningGuest;
import io.remus.agent.nativeio.MemoryBlock;
import io.remus.agent.nativeio.NativeException;
import io.remus.agent.nativeio.OutputQueue;
import io.remus.agent.nativeio.PageHashes;
import io.remus.agent.nativeio.PlugRules;
import io.remus.agent.nativeio.TrackerKind;
import io.remus.agent.peer.PeerConnection;
import io.remus.agent.primary.EpochListener;
import io.remus.agent.primary.EpochLoop;
import io.remus.agent.primary.EpochTimes;
import io.remus.agent.release.OutputPlug;
import io.remus.agent.status.EpochLog;
import io.remus.agent.status.VmFigures;
import io.remus.agent.stream.Credit;
import io.remus.agent.stream.EpochSender;
import io.remus.agent.stream.Packing;
import io.remus.agent.term.Wish;
import io.remus.agent.verify.PrimaryVerification;
import io.remus.core.control.EventRecord.Level;
import io.remus.core.control.Figures;
import io.remus.core.control.VerificationProgress;
import io.remus.core.control.VerificationReport;
import io.remus.core.control.VmStatus;
import io.remus.core.epoch.DurableAck;
import io.remus.core.epoch.Term;
import io.remus.core.wire.DiskImage;
import io.remus.core.wire.Frame;
import io.remus.core.wire.RamBlock;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * The epochs of one VM on the primary and the output that waits for them: capture, stream and plug,
 * from the first page to the last release. Moved by the VM's lane; the credit may be given and the
 * figures read by any thread.
 */
final class Replication {
  private final Surroundings around;
  private final String vm;
  private final RunningGuest guest;
  private final VmFigures figures = new VmFigures(System.nanoTime());
  private final Deque<EpochTimes> inFlight = new ArrayDeque<>();
  private final Credit credit = new Credit();
  private final Packing packing = new Packing();
  private volatile EpochLoop loop;
  private volatile OutputPlug plug;
  private volatile long ackedEpoch;
  private volatile String tracker;
  private final DiskStream disks;
  private EpochCapture capture;
  private EpochSender sender;
  private volatile PrimaryVerification verification;

  /**
   * @param guest null when only the rules of an earlier agent are left of it
   */
  Replication(Surroundings around, String vm, RunningGuest guest) {
    this.around = around;
    this.vm = vm;
    this.guest = guest;
    this.disks =
        guest == null
            ? null
            : new DiskStream(
                guest,
                around.diskIo(),
                around.allocator(),
                around.config().memory().disk(),
                around.config().disks().copyRate());
  }

  /** The backup tells what it has of the disks. Before {@link #start}; on an event loop. */
  void learn(Frame.BlockHashes told) {
    disks.learn(told);
  }

  /** Begins the initial synchronisation. */
  void start(PeerConnection connection, Wish wish, EpochListener listener) throws IOException {
    var memory = around.config().memory();
    TrackerKind kind = around.trackerKind();
    tracker = kind.configName();
    capture = new EpochCapture(guest, kind, memory.arena(), disks);
    sender = new EpochSender(connection, around.allocator(), credit, packing, memory.deltaCache());
    loop =
        new EpochLoop(
            vm,
            capture,
            sender,
            disks,
            MemoryBlock.pages(guest.memory()),
            memory.arena(),
            wish.intervalMs() * 1_000_000L,
            wish.idleIntervalMs() * 1_000_000L,
            figures,
            listener);
    loop.start();
  }

  /**
   * Begins to compare the standby with the guest. The epochs run.
   *
   * @throws IllegalStateException while the last comparison goes on
   */
  CompletableFuture<VerificationReport> verify(PeerConnection connection, Term term)
      throws NativeException {
    PrimaryVerification last = verification;
    if (last != null && !last.isOver()) {
      throw new IllegalStateException("it is being verified already");
    }
    PageHashes pages = new PageHashes(guest.pid(), guest.memory());
    PrimaryVerification begun =
        new PrimaryVerification(
            vm, connection.peerName(), blocks(guest), disks.hash(), pages, connection::sendNow);
    verification = begun;
    loop.show(begun);
    begun.start(term);
    return begun
        .report()
        .whenComplete(
            (report, failure) -> {
              if (report != null) {
                verification = null; // with the hashes that it holds
              }
            });
  }

  /** The backup says something that may be part of a comparison. */
  void hear(Frame frame) {
    PrimaryVerification asking = verification;
    if (asking != null) {
      asking.hear(frame);
    }
  }

  /** The guest's memory, as PREPARE names it. */
  static List<RamBlock> blocks(RunningGuest guest) {
    return guest.ram().stream().map(ram -> new RamBlock(ram.name(), ram.bytes())).toList();
  }

  /** The backup has room for more. */
  void grant(long bytes) {
    credit.give(bytes);
  }

  /** The connection is gone; nobody is to wait for credit. */
  void linkClosed() {
    credit.close();
    PrimaryVerification unanswered = verification;
    if (unanswered != null) {
      unanswered.linkClosed();
    }
    if (disks != null) {
      disks.letGo();
    }
  }

  /**
   * Holds the guest's output from now on.
   *
   * @param broken told when output cannot be released any more
   */
  void plug(Consumer<String> broken) throws NativeException {
    if (!guest.taps().isEmpty()) {
      plug =
          new OutputPlug(
              vm,
              guest.taps(),
              around.queues().take(vm),
              around.config().output().queuePackets(),
              loop::output,
              broken);
    }
  }

  /** Begins the epochs. */
  void runEpochs() {
    loop.begin(plug == null ? null : plug.queue());
  }

  /** Ends the epochs after the one under way. */
  void finishEpochs() {
    loop.finish();
  }

  /**
   * Ends the epochs with one that leaves the guest stopped.
   *
   * @param told when it is about to be stopped, on another thread
   */
  void stopGuest(Runnable told) {
    loop.stopGuest(told);
  }

  /** Ends the epochs now and waits for their end. */
  void haltEpochs() {
    linkClosed();
    if (loop != null) {
      loop.halt();
    }
  }

  /** An epoch was captured and is on its way. */
  void captured(EpochTimes times) {
    inFlight.addLast(times);
  }

  /**
   * Since when the backup has kept this host waiting to no effect, on the clock of nanoTime: for
   * the ack of the oldest epoch without one, or for credit.
   */
  Optional<Long> waitsSinceNs() {
    return Optional.ofNullable(inFlight.peekFirst())
        .map(epoch -> Math.max(epoch.resumedAtNs(), credit.givenAtNs()))
        .or(credit::waitsSinceNs);
  }

  /** Lets the packets of the oldest epoch in flight go. */
  void release(DurableAck ack, long marker) throws NativeException {
    long ackedAtNs = System.nanoTime();
    if (plug != null) {
      plug.release(ack, marker);
    }
    ackedEpoch = ack.epoch().number();
    loop.acked(ack.epoch());
    EpochTimes times = inFlight.removeFirst();
    packing.acked(ackedEpoch, ackedAtNs);
    figures.acked(ackedAtNs, ackedAtNs - times.startedAtNs());
    if (around.epochLog().isOn()) {
      around
          .epochLog()
          .add(
              new EpochLog.Line(
                  vm,
                  ack.term().number(),
                  ack.epoch().number(),
                  times.startedAtNs(),
                  times.stoppedAtNs(),
                  times.resumedAtNs(),
                  ackedAtNs,
                  System.nanoTime(),
                  times.pages(),
                  marker,
                  times.scanNs(),
                  times.copyNs()));
    }
  }

  /** Lets all output go. The epochs have ended. */
  void unplug() throws NativeException, GuestException {
    if (plug != null) {
      plug.unplug();
      plug = null;
    } else {
      PlugRules.remove(vm);
    }
    close();
  }

  /** Lets no output go that is not out yet. The epochs have ended. */
  void dropOutput() throws NativeException {
    if (plug != null) {
      plug.drop();
      plug = null;
    } else {
      PlugRules.remove(vm);
    }
  }

  /** Whether rules that ought to be there are: somebody may flush the ruleset of the host. */
  boolean rulesHold() throws NativeException {
    return plug == null || PlugRules.owners().contains(vm);
  }

  /** QEMU is left as it was found. The epochs have ended. */
  void close() throws GuestException {
    PrimaryVerification unfinished = verification;
    if (unfinished != null) {
      unfinished.epochsEnded();
    }
    EpochCapture ended = capture;
    capture = null;
    if (ended != null) {
      ended.close();
    }
    if (sender != null) {
      sender.close();
      sender = null;
    }
    if (disks != null) {
      disks.close();
    }
  }

  // ---- what status shows, any thread ------------------------------------------------------------

  /** The disks that are replicated. */
  List<String> disks() {
    return guest == null ? List.of() : guest.disks().stream().map(DiskImage::target).toList();
  }

  /** How written pages are found; null before the start. */
  String tracker() {
    return tracker;
  }

  /** How output is held; null when it is not. */
  String output() {
    OutputPlug holding = plug;
    return holding == null ? null : around.outputText(holding.queue().number());
  }

  /** The newest epochs; null before the first. */
  VmStatus.Epochs epochs() {
    EpochLoop running = loop;
    return running == null || running.capturedEpoch() == 0
        ? null
        : VmStatus.Epochs.ofPrimary(running.capturedEpoch(), ackedEpoch, ackedEpoch);
  }

  /** Progress of the initial synchronisation; null when there is none. */
  VmStatus.Sync sync() {
    EpochLoop running = loop;
    return running == null ? null : running.progress().orElse(null);
  }

  /** How far a comparison is; empty when none is going on. */
  Optional<VerificationProgress> verification() {
    return Optional.ofNullable(verification)
        .filter(running -> !running.isOver())
        .map(PrimaryVerification::progress);
  }

  /** What protection costs; null before the first epoch. */
  Figures figures() {
    OutputPlug holding = plug;
    if (holding != null) {
      try {
        OutputQueue.Counts counts = holding.counts();
        figures.held(counts.waiting());
        figures.dropped(counts.dropped() + counts.userDropped());
      } catch (NativeException e) {
        around.events().vm(Level.WARNING, vm, e.getMessage());
      }
    }
    return figures.snapshot(System.nanoTime()).orElse(null);
  }
}
