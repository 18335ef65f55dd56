package io.remus.agent.primary;

import io.remus.agent.capture.EpochCapture;
import io.remus.agent.disk.DiskStream;
import io.remus.agent.disk.WriteLog;
import io.remus.agent.nativeio.Gate;
import io.remus.agent.nativeio.NativeException;
import io.remus.agent.nativeio.OutputQueue;
import io.remus.agent.nativeio.Threads;
import io.remus.agent.status.VmFigures;
import io.remus.agent.stream.EpochSender;
import io.remus.core.control.VmStatus;
import io.remus.core.epoch.EpochId;
import io.remus.core.wire.RamBlock;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way of a VM's epochs on the primary: initial synchronisation, then pause, capture, encode,
 * send, for as long as it is asked to. As long as the guest sends nothing, nobody waits for the end
 * of an epoch, and it takes longer. A thread of its own; it waits for the backup's credit, so a
 * slow link makes epochs longer, and when an epoch does not fit the arena the guest stands still
 * until the link has taken it.
 */
public final class EpochLoop {
  private static final Logger LOG = LoggerFactory.getLogger(EpochLoop.class);
  private static final int URGENT = -20;

  /** Disk writes that are worth a chunk of their own before the epoch is due. */
  private static final long AHEAD_BYTES = 128 * 1024;

  /** Between two moments of a watch's work: no more than a part of a CPU is taken for it. */
  private static final long BREATH_NS = 1_000_000;

  /**
   * Epochs without an ack: enough for a link on which an ack takes several intervals. On one that
   * carries less than the guest dirties, more of them would only be a longer way for its output.
   */
  private static final int IN_FLIGHT = 2;

  /**
   * A guest whose next epoch waits while the oldest has no ack for so long dirties more than the
   * link carries: it is held for a part of the time, a larger one with each doubling.
   */
  private static final long SLOW_NS = 250_000_000;

  private static final double[] HELD = {0.5, 0.75, 0.9};

  private final String vm;
  private final EpochCapture capture;
  private final EpochSender sender;
  private final DiskStream disks;
  private final DiskSync diskSync;
  private final InitialSync sync;
  private final long intervalNs;
  private final EpochLength length;
  private final VmFigures figures;
  private final EpochListener listener;
  private final Thread thread;
  private final AtomicReference<EpochWatch> watch = new AtomicReference<>(EpochWatch.NONE);
  private final CountDownLatch begun = new CountDownLatch(1);
  private volatile OutputQueue queue;
  private volatile boolean halted;
  private volatile boolean finishing;
  private volatile Runnable onStop;
  private final long[] resumedAtNs = new long[IN_FLIGHT];
  private volatile long capturedEpoch;
  private volatile long ackedEpoch;

  public EpochLoop(
      String vm,
      EpochCapture capture,
      EpochSender sender,
      DiskStream disks,
      long totalPages,
      long arenaBytes,
      long intervalNs,
      long idleIntervalNs,
      VmFigures figures,
      EpochListener listener) {
    this.vm = vm;
    this.capture = capture;
    this.sender = sender;
    this.disks = disks;
    this.intervalNs = intervalNs;
    this.length = new EpochLength(intervalNs, idleIntervalNs, arenaBytes / RamBlock.PAGE_BYTES);
    this.figures = figures;
    this.listener = listener;
    this.diskSync = new DiskSync(disks, sender, () -> halted);
    this.sync =
        new InitialSync(vm, capture, sender, totalPages, arenaBytes, disks.log(), () -> halted);
    this.thread = new Thread(this::run, "epochs-" + vm);
    thread.setDaemon(true);
    disks.log().onWork(() -> LockSupport.unpark(thread));
  }

  /** Begins the initial synchronisation. */
  public void start() {
    thread.start();
  }

  /**
   * Begins the epochs, after {@link EpochListener#synchronised}.
   *
   * @param plugged where the guest's output is held; null for a guest without a network
   */
  public void begin(OutputQueue plugged) {
    queue = plugged;
    begun.countDown();
  }

  /** The guest has sent something since the last pause: somebody waits for the epoch's end. */
  public void output(OutputQueue.Told told) {
    length.output(told);
    LockSupport.unpark(thread);
  }

  /** The backup has acked an epoch. */
  public void acked(EpochId epoch) {
    ackedEpoch = epoch.number();
    LockSupport.unpark(thread);
  }

  /** Shows the guest's pages until it has seen enough; in place of any that was shown before. */
  public void show(EpochWatch to) {
    watch.set(to);
    LockSupport.unpark(thread);
  }

  /** Ends the loop after the epoch under way. */
  public void finish() {
    finishing = true;
    LockSupport.unpark(thread);
  }

  /**
   * Ends the loop with an epoch that leaves the guest stopped. It follows the epoch under way at
   * once, so that there is little to copy while the guest stands still.
   *
   * @param told when the guest is about to be stopped, on another thread
   */
  public void stopGuest(Runnable told) {
    onStop = told;
    LockSupport.unpark(thread);
  }

  /** Ends the loop now and waits for its end; an epoch under way is given back, the guest runs. */
  public void halt() {
    halted = true;
    begun.countDown();
    LockSupport.unpark(thread);
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Progress of the initial synchronisation; empty before and after. */
  public Optional<VmStatus.Sync> progress() {
    if (capturedEpoch > 0) {
      return Optional.empty();
    }
    SyncProgress progress = sync.progress();
    return progress == null ? diskSync.progress() : Optional.of(progress.status());
  }

  /** The last epoch captured, 0 before the first. */
  public long capturedEpoch() {
    return capturedEpoch;
  }

  private void run() {
    try {
      beUrgent();
      diskSync.run();
      sync.run();
      if (!halted) {
        sender.endSynchronisation();
        listener.synchronised();
        begun.await();
        epochs();
      }
      listener.finished();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      listener.failed("interrupted");
    } catch (IOException | RuntimeException | Error e) {
      // Also an error: a loop that ended without a word would hold output for ever.
      if (halted) {
        listener.finished();
      } else {
        LOG.debug("VM {}: the epoch loop failed", vm, e);
        listener.failed(String.valueOf(e.getMessage()));
      }
    }
  }

  /** The guest stands still while this thread works. */
  private void beUrgent() {
    try {
      Threads.nice(URGENT);
    } catch (NativeException e) {
      LOG.warn("VM {}: {}; pauses may be longer on a busy host", vm, e.getMessage());
    }
  }

  private void epochs() throws IOException {
    long startedNs = System.nanoTime() - length.ns();
    EpochId epoch = EpochId.FIRST;
    for (; isToGoOn(); epoch = epoch.next()) {
      await(epoch, startedNs);
      if (halted) {
        return;
      }
      startedNs = System.nanoTime();
      epoch(epoch, startedNs, null);
      if (System.nanoTime() - startedNs > intervalNs || isFull()) {
        figures.throttled();
      }
      show(epoch);
    }
    Runnable told = onStop;
    if (told != null && !halted) {
      epoch(epoch, System.nanoTime(), told);
    }
  }

  private boolean isToGoOn() {
    return !halted && !finishing && onStop == null;
  }

  /** Until the epoch is due. The guest's disk writes so far are its own, and may go ahead of it. */
  private void await(EpochId epoch, long startedNs) throws IOException {
    boolean busy = watch.get().work();
    long leftNs = leftNs(startedNs);
    while (leftNs > 0 && isToGoOn()) {
      if (disks.log().waitingBytes() >= AHEAD_BYTES) {
        sender.diskChunk(epoch.number(), disks.log(), WriteLog.ALL);
      } else {
        rest(busy ? Math.min(leftNs, BREATH_NS) : leftNs);
        busy = leftNs(startedNs) > BREATH_NS && watch.get().work();
      }
      leftNs = leftNs(startedNs);
    }
  }

  /**
   * Ends sooner than asked for when there is something to look at; holds the guest for late acks.
   */
  private void rest(long mostNs) throws IOException {
    if (!isFull()) {
      LockSupport.parkNanos(mostNs);
      return;
    }
    // The oldest one without an ack: as many are under way as there may be.
    long waitsNs = System.nanoTime() - resumedAtNs[(int) ((capturedEpoch + 1) % IN_FLIGHT)];
    if (waitsNs < SLOW_NS) {
      LockSupport.parkNanos(Math.min(mostNs, SLOW_NS - waitsNs));
    } else {
      int doublings = 63 - Long.numberOfLeadingZeros(waitsNs / SLOW_NS);
      Brake.hold(capture, HELD[Math.min(doublings, HELD.length - 1)]);
    }
  }

  private boolean isFull() {
    return capturedEpoch - ackedEpoch >= IN_FLIGHT;
  }

  private long leftNs(long startedNs) {
    if (isFull()) {
      return Long.MAX_VALUE;
    }
    return startedNs + length.ns() - System.nanoTime();
  }

  /**
   * @param told when the guest is to stay stopped; null when it runs on
   */
  private void epoch(EpochId epoch, long startedAtNs, Runnable told) throws IOException {
    length.begin();
    long pages = pause(epoch, told);
    Gate gate = capture.gate();
    EpochTimes times =
        new EpochTimes(
            startedAtNs,
            gate.stoppedAtNs(),
            gate.resumedAtNs(),
            pages,
            gate.scanNs(),
            gate.copyNs());
    length.captured(pages, gate.stoppedAtNs() - resumedAtNs[(int) (capturedEpoch % IN_FLIGHT)]);
    resumedAtNs[(int) (epoch.number() % IN_FLIGHT)] = gate.resumedAtNs();
    capturedEpoch = epoch.number();
    listener.captured(epoch, gate.marker(), times);
    figures.captured(times.pauseNs(), pages);
    sender.pages(epoch.number(), capture.arena(), false);
    sender.disk(epoch.number(), disks.log(), gate.writes());
    capture.finish();
    figures.sent(sender.end(epoch.number(), gate.deviceState(), capture.held()));
  }

  /** A guest that is not to run on has no time for it. */
  private void show(EpochId epoch) {
    EpochWatch watching = watch.get();
    watching.captured(capture.arena());
    if (!watching.sent(epoch, capture.gate().writes())) {
      watch.compareAndSet(watching, EpochWatch.NONE);
    }
  }

  /**
   * One pause; an epoch larger than the arena is sent piece by piece while the guest stands still.
   */
  private long pause(EpochId epoch, Runnable told) throws IOException {
    boolean done = told == null ? capture.pause(queue) : capture.stop(queue, told);
    long pages = capture.gate().pages();
    if (done) {
      return pages;
    }
    try {
      while (!done) {
        sender.pages(epoch.number(), capture.arena(), false);
        watch.get().captured(capture.arena());
        done = capture.more();
        pages += capture.gate().pages();
      }
      return pages;
    } finally {
      if (!done) {
        capture.abort();
      }
    }
  }
}
