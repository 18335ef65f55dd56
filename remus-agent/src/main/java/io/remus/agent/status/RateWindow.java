package io.remus.agent.status;

import java.util.Arrays;

/**
 * How often something happened in the last ten seconds. Counts in slots of 100 ms, so it needs the
 * same memory at any rate. Not safe for several threads.
 */
final class RateWindow {
  private static final long SLOT_NS = 100_000_000L;
  private static final int SLOTS = 100;

  private final long startNs;
  private final int[] counts = new int[SLOTS];
  private long newestSlot;

  /**
   * Begins to count.
   *
   * @param startNs now, on the clock that all later times are on
   */
  RateWindow(long startNs) {
    this.startNs = startNs;
  }

  void add(long nowNs) {
    advance(nowNs);
    counts[(int) (newestSlot % SLOTS)]++;
  }

  /** Events a second over the window, or since the start when that is shorter ago. */
  double perSecond(long nowNs) {
    advance(nowNs);
    int sum = Arrays.stream(counts).sum();
    long slots = Math.min(newestSlot + 1, SLOTS);
    return sum * 1e9 / (slots * SLOT_NS);
  }

  private void advance(long nowNs) {
    long slot = Math.max(newestSlot, (nowNs - startNs) / SLOT_NS);
    long gone = Math.min(slot - newestSlot, SLOTS);
    for (long i = 0; i < gone; i++) {
      counts[(int) ((slot - i) % SLOTS)] = 0;
    }
    newestSlot = slot;
  }
}
