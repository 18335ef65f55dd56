package io.remus.agent.capture;

import io.remus.agent.guest.GuestException;
import io.remus.agent.guest.RunningGuest;
import io.remus.agent.nativeio.Arena;
import io.remus.agent.nativeio.DeviceStates;
import io.remus.agent.nativeio.Errno;
import io.remus.agent.nativeio.Gate;
import io.remus.agent.nativeio.NativeException;
import io.remus.agent.nativeio.OutputQueue;
import io.remus.agent.nativeio.Tracker;
import io.remus.agent.nativeio.TrackerKind;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Takes a guest's written pages and device state while it stands still, and pages alone while it
 * runs. Knows nothing of a network. Owned by one thread.
 *
 * <p>The pause is one monitor command that a second thread sends; this thread meets the guest at
 * the gate. Whatever fails, the gate lets the guest go.
 */
public final class EpochCapture implements AutoCloseable {
  private static final int STOP_LIMIT_MS = 3_000;
  private static final long COMMAND_LIMIT_S = 30;

  /** It stands still for its move alone, and is to run where it goes. */
  private static final RunningGuest.Look RUNS_ON = new RunningGuest.Look(null, false);

  private final RunningGuest guest;
  private final DiskBarrier disks;
  private Gate gate;
  private final Tracker tracker;
  private final Arena arena;
  private final CopyAhead copyAhead = new CopyAhead();
  private final ExecutorService commands;
  private Future<RunningGuest.Look> command;
  private boolean held;

  public EpochCapture(RunningGuest guest, TrackerKind kind, long arenaBytes, DiskBarrier disks)
      throws NativeException {
    this.guest = guest;
    this.disks = disks;
    this.commands =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread thread = new Thread(task, "gate-" + guest.name());
              thread.setDaemon(true);
              return thread;
            });
    Arena newArena = null;
    Gate newGate = null;
    try {
      newArena = new Arena(arenaBytes);
      newGate = openGate();
      this.tracker = new Tracker(guest.pid(), kind, guest.memory());
    } catch (NativeException e) {
      commands.shutdown();
      closeAll(newGate, newArena);
      throw e;
    }
    this.gate = newGate;
    this.arena = newArena;
  }

  private static void closeAll(Gate gate, Arena arena) {
    if (gate != null) {
      gate.close();
    }
    if (arena != null) {
      arena.close();
    }
  }

  private Gate openGate() throws NativeException {
    return new Gate(guest.gatePath(), guest.uid(), guest.gid(), DeviceStates.MOST_BYTES);
  }

  /** The pages that the last call took. */
  public Arena arena() {
    return arena;
  }

  /** Times, counts and device state of the last pause. */
  public Gate gate() {
    return gate;
  }

  /**
   * Looks for written pages while the guest runs, or holds it for a moment where the tracker needs
   * that.
   */
  public long scan() throws IOException {
    if (!tracker.kind().scansOnlyPaused()) {
      return tracker.scan();
    }
    hold(true, 0);
    return tracker.pending();
  }

  /** Takes as many pending pages as fit the arena while the guest runs. Returns the pages left. */
  public long copyRunning() throws NativeException {
    return tracker.copy(arena);
  }

  /** Holds the guest still for a while, so that it dirties less than the link carries. */
  public void brake(long holdNs) throws IOException {
    hold(false, holdNs);
  }

  private void hold(boolean scan, long holdNs) throws IOException {
    meet(
        this::saveDeviceState,
        () -> {
          gate.hold(tracker, scan, holdNs, STOP_LIMIT_MS);
          return true;
        });
    finish();
  }

  /**
   * Stops the guest and takes what it wrote.
   *
   * @return true when the guest runs again, after which {@link #finish} is due; false when pages
   *     are left and the guest STANDS STILL until {@link #more} or {@link #abort}
   */
  public boolean pause(OutputQueue queue) throws IOException {
    return pause(queue, this::saveDeviceState);
  }

  /**
   * As {@link #pause}, but the guest stands still afterwards, too, until somebody resumes it. Also
   * when this fails.
   *
   * @param onStop told, on another thread, right before the guest is stopped
   */
  public boolean stop(OutputQueue queue, Runnable onStop) throws IOException {
    return pause(
        queue,
        () -> {
          onStop.run();
          guest.suspend();
          saveDeviceState();
          return RUNS_ON;
        });
  }

  private boolean pause(OutputQueue queue, Callable<RunningGuest.Look> save) throws IOException {
    long ahead = gate.begin(tracker, arena, CopyAhead.SOME_PAGES, copyAhead.many());
    boolean done =
        meet(save, () -> gate.pause(tracker, arena, queue, disks.count(), STOP_LIMIT_MS));
    copyAhead.captured(ahead, gate.pages() + gate.pending());
    return done;
  }

  /** Goes on with an epoch that did not fit the arena. As {@link #pause}. */
  public boolean more() throws IOException {
    return gate.more(tracker, arena);
  }

  /** Lets the guest go and gives the epoch's pages back. */
  public void abort() throws IOException {
    gate.abort(tracker, arena);
  }

  private interface Meeting {
    boolean meet() throws NativeException;
  }

  /**
   * Sends the command and meets the guest at the gate. libvirt may keep the command waiting behind
   * another job of the VM; the guest runs meanwhile, and the gate, which the guest did not come to,
   * is made anew once the command is over.
   */
  private boolean meet(Callable<RunningGuest.Look> save, Meeting meeting) throws IOException {
    long deadlineNs = System.nanoTime() + COMMAND_LIMIT_S * 1_000_000_000L;
    while (true) {
      if (guest.sleeps()) {
        throw new IOException(RunningGuest.SLEEPS);
      }
      disks.guestStops();
      command = commands.submit(save);
      try {
        return meeting.meet();
      } catch (NativeException e) {
        if (e.errno() != Errno.ETIMEDOUT) {
          throw e;
        }
        finish();
        if (System.nanoTime() > deadlineNs) {
          throw e;
        }
        gate.close();
        gate = openGate();
      } finally {
        disks.guestStopped();
      }
    }
  }

  /** A state that the standby could not load must not become an epoch. */
  private RunningGuest.Look saveDeviceState() throws GuestException {
    guest.saveDeviceState();
    disks.verify();
    RunningGuest.Look look = guest.look();
    if (look.misfit() != null) {
      throw new GuestException(GuestException.Kind.UNPROTECTABLE, look.misfit(), "");
    }
    return look;
  }

  /** Whether the guest stood still already, as somebody wanted. After {@link #finish}. */
  public boolean held() {
    return held;
  }

  /**
   * Waits until QEMU confirms that the device state is whole and no disk write was missed, and
   * libvirt that the guest is still what the standby was made for. Without that the epoch is worth
   * nothing.
   */
  public void finish() throws IOException {
    try {
      held = command.get(COMMAND_LIMIT_S, TimeUnit.SECONDS).held();
    } catch (ExecutionException e) {
      throw new IOException(e.getCause().getMessage(), e.getCause());
    } catch (TimeoutException e) {
      throw new IOException("QEMU did not confirm the pause in " + COMMAND_LIMIT_S + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while QEMU confirms the pause", e);
    }
  }

  /** Leaves QEMU as it was found, running. */
  @Override
  public void close() throws GuestException {
    gate.close();
    tracker.close();
    arena.close();
    commands.shutdown();
  }
}
