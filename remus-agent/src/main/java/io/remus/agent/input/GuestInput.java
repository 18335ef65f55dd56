package io.remus.agent.input;

import io.remus.agent.nativeio.GuestTap;
import io.remus.agent.nativeio.NativeException;
import io.remus.core.wire.Frame;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * What came for a guest where it was before it moved here: kept until it runs, then given to it.
 * Any thread.
 */
public final class GuestInput implements AutoCloseable {
  /** What a gigabit link carries in 60 ms; more is lost, as in any queue on the way. */
  static final long MOST_BYTES = 8L << 20;

  private final Deque<Frame.Input> waiting = new ArrayDeque<>();
  private final List<GuestTap> taps = new ArrayList<>();
  private long waitingBytes;
  private boolean runs;
  private boolean closed;

  /** Gives the guest a frame, or keeps it until it runs. */
  public synchronized void take(Frame.Input input) throws NativeException {
    long bytes = input.frame().remaining();
    if (runs) {
      give(input);
    } else if (!closed && waitingBytes + bytes <= MOST_BYTES) {
      waiting.add(input);
      waitingBytes += bytes;
    }
  }

  /**
   * The guest runs.
   *
   * @param interfaces of the guest on this host, in the order in which it has them
   */
  public synchronized void guestRuns(List<String> interfaces) throws NativeException {
    for (String name : interfaces) {
      taps.add(GuestTap.sending(name, Frame.Input.MOST));
    }
    runs = true;
    waitingBytes = 0;
    while (!waiting.isEmpty()) {
      give(waiting.remove());
    }
  }

  /** What is kept for a guest that does not run yet, bytes. */
  synchronized long waitingBytes() {
    return waitingBytes;
  }

  /** One for an interface that the guest does not have is left out. */
  private void give(Frame.Input input) throws NativeException {
    if (input.nic() < taps.size()) {
      taps.get(input.nic()).write(input.frame());
    }
  }

  /** Nothing more is given. */
  @Override
  public synchronized void close() {
    closed = true;
    runs = false;
    waiting.clear();
    waitingBytes = 0;
    taps.forEach(GuestTap::close);
    taps.clear();
  }
}
