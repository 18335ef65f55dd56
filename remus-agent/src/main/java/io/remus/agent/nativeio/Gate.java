package io.remus.agent.nativeio;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;

/**
 * The pause of one epoch: a FIFO that QEMU's {@code xen-save-devices-state} opens when the guest
 * stands still and whose draining lets the guest run again. All work in the pause is one native
 * call, so that no safepoint can lengthen it.
 */
public final class Gate extends Handle {
  private static final int RESULTS = 9;

  private final Memory result = new Memory(8L * RESULTS);
  private final Memory state;

  /**
   * @param path where the FIFO is made; a directory that QEMU may write
   * @param stateBytes the most device state a guest may have
   */
  public Gate(String path, int uid, int gid, long stateBytes) throws NativeException {
    super("make the gate " + path, out -> NativeLibrary.remus_gate_open(path, uid, gid, out));
    state = new Memory(stateBytes);
  }

  /**
   * Begins an epoch's capture, before the guest is asked to stop.
   *
   * @param some from how many written pages on they are copied before it stops
   * @param many from how many on they are copied now
   * @return the pages copied
   */
  public long begin(Tracker tracker, Arena arena, long some, long many) throws NativeException {
    return NativeException.check(
        "copy ahead of the pause",
        NativeLibrary.remus_pause_begin(tracker.pointer(), arena.pointer(), some, many));
  }

  /**
   * Copies what {@link #begin} found and left, waits for the guest to stop, then scans and copies
   * the rest.
   *
   * @param queue null for a guest without a network
   * @param writes disk writes so far; null for a guest without replicated disks
   * @return true when the guest runs again; false when pages are left and the guest STANDS STILL
   *     until {@link #more} says true or {@link #abort} is called
   */
  public boolean pause(
      Tracker tracker, Arena arena, OutputQueue queue, Counter writes, int timeoutMs)
      throws NativeException {
    return done(
        NativeLibrary.remus_pause(
            pointer(),
            tracker.pointer(),
            arena.pointer(),
            queue == null ? null : queue.pointer(),
            writes == null ? null : writes.pointer(),
            state,
            state.size(),
            timeoutMs,
            result));
  }

  /** Goes on with an epoch that did not fit the arena. As {@link #pause}. */
  public boolean more(Tracker tracker, Arena arena) throws NativeException {
    return done(
        NativeLibrary.remus_pause_more(
            pointer(), tracker.pointer(), arena.pointer(), state, state.size(), result));
  }

  /** Lets the guest go and gives the epoch's pages back. */
  public void abort(Tracker tracker, Arena arena) throws NativeException {
    NativeException.check(
        "let the guest go",
        NativeLibrary.remus_pause_abort(pointer(), tracker.pointer(), arena.pointer()));
  }

  /**
   * Holds the guest still for a while.
   *
   * @param scan look for written pages meanwhile; the tracker must not be in use by another thread
   */
  public void hold(Tracker tracker, boolean scan, long holdNs, int timeoutMs)
      throws NativeException {
    NativeException.check(
        "hold the guest",
        NativeLibrary.remus_pause_hold(
            pointer(), tracker.pointer(), scan ? 1 : 0, holdNs, timeoutMs));
  }

  private static boolean done(int code) throws NativeException {
    return NativeException.check("pause", code) == 0;
  }

  /** When the guest was seen stopped, on the clock of {@link System#nanoTime}. */
  public long stoppedAtNs() {
    return result.getLong(0);
  }

  /** Time spent scanning while the guest stood still, nanoseconds. */
  public long scanNs() {
    return result.getLong(8);
  }

  /** Time spent copying while the guest stood still, nanoseconds. */
  public long copyNs() {
    return result.getLong(16);
  }

  /** When the guest was let go. */
  public long resumedAtNs() {
    return result.getLong(24);
  }

  /** Pages in the arena; one that was copied again counts twice. */
  public long pages() {
    return result.getLong(32);
  }

  /** Pages that did not fit the arena. */
  public long pending() {
    return result.getLong(40);
  }

  /** The id of the last packet the guest sent before it stopped; -1 without a queue. */
  public long marker() {
    return result.getLong(56);
  }

  /** The count of disk writes when the guest had stopped; 0 without. */
  public long writes() {
    return result.getLong(64);
  }

  /** The device state of the last pause; valid until the next one. */
  public ByteBuffer deviceState() {
    return state.getByteBuffer(0, result.getLong(48));
  }

  @Override
  void free(Pointer pointer) {
    NativeLibrary.remus_gate_close(pointer);
    result.close();
    state.close();
  }
}
