package io.remus.agent.nativeio;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;

/** A netfilter queue that holds a guest's packets. */
public final class OutputQueue extends Handle {
  /**
   * Counters of a queue.
   *
   * @param waiting packets held now
   * @param dropped packets lost because the queue was full
   * @param userDropped packets lost because the netlink socket was full
   */
  public record Counts(long waiting, long dropped, long userDropped) {}

  /** What ended a {@link #drain}, as native/include/remus.h counts it. */
  public enum Told {
    /** {@link #stop}. */
    END,
    /** The first packet since the last pause. */
    FIRST,
    /**
     * A MiB of packets since the last pause, perhaps with the first; or the first, when 4 KiB have
     * come to the guest in large packets since the last first one.
     */
    MUCH
  }

  private final int number;

  public OutputQueue(int number, int maxPackets) throws NativeException {
    super(
        "bind netfilter queue " + number,
        out -> NativeLibrary.remus_queue_open(number, maxPackets, out));
    this.number = number;
  }

  public int number() {
    return number;
  }

  /** Counts what the network sends to one of the guest's interfaces. Before {@link #drain}. */
  public void countInput(String tap) throws NativeException {
    NativeException.check(
        "count what goes to " + tap, NativeLibrary.remus_queue_input(pointer(), tap));
  }

  /** Empties the notice socket; give it a thread of its own, and call it again until the end. */
  public Told drain() throws NativeException {
    int code = NativeLibrary.remus_queue_drain(pointer());
    return Told.values()[(int) NativeException.check("drain queue " + number, code)];
  }

  /** Ends {@link #drain}. Any thread. */
  public void stop() {
    NativeLibrary.remus_queue_stop(pointer());
  }

  /** Id of the last packet that entered. Any thread. */
  public long marker() throws NativeException {
    return NativeException.check(
        "read the marker of queue " + number, NativeLibrary.remus_queue_marker(pointer()));
  }

  /** Lets every packet up to {@code marker} go, in order. Any thread. */
  public void release(long marker) throws NativeException {
    NativeException.check(
        "release queue " + number, NativeLibrary.remus_queue_release(pointer(), marker));
  }

  public Counts counts() throws NativeException {
    try (Memory counts = new Memory(32)) {
      NativeException.check(
          "count queue " + number, NativeLibrary.remus_queue_counts(pointer(), counts));
      return new Counts(counts.getLong(0), counts.getLong(8), counts.getLong(16));
    }
  }

  @Override
  void free(Pointer pointer) {
    NativeLibrary.remus_queue_close(pointer);
  }
}
