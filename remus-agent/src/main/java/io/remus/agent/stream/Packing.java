package io.remus.agent.stream;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Decides for each epoch whether its pages are packed. Packing is work for both hosts and spares
 * the link: what counts is the time from an epoch's first byte to its ack, for each byte of
 * records. Now and then large epochs go one way and the other in turn, and from then on all go the
 * way that took less. Small epochs are packed: there it is no time either way. Thread-safe; times
 * are nanoseconds on the caller's clock.
 */
public final class Packing {
  /** Bytes of records from which on an epoch's time says something about its bytes. */
  static final long LARGE_BYTES = 1 << 20;

  /** Large epochs of each kind in a trial. */
  static final int TRIED = 8;

  /** Large epochs from one trial to the next. */
  static final int TRIAL_EVERY = 256;

  /** Less traffic is worth something by itself: plain must be faster by a quarter. */
  private static final double PREFERENCE = 0.75;

  private record Sent(long epoch, boolean packed, long bytes, long beganNs) {}

  private final Deque<Sent> inFlight = new ArrayDeque<>();
  private final List<Double> packedNs = new ArrayList<>();
  private final List<Double> plainNs = new ArrayList<>();
  private boolean usuallyPacked = true;
  private boolean triedPacked;
  private int untilTrial = TRIAL_EVERY / 8;
  private long lastBytes;

  /** Whether the next epoch's pages are to be packed. */
  synchronized boolean packs() {
    return lastBytes < LARGE_BYTES || (untilTrial > 0 ? usuallyPacked : !triedPacked);
  }

  /**
   * All of an epoch was sent.
   *
   * @param bytes of its page records before they were packed
   * @param beganNs when its first byte was sent
   */
  synchronized void sent(long epoch, boolean packed, long bytes, long beganNs) {
    lastBytes = bytes;
    if (bytes < LARGE_BYTES) {
      return;
    }
    if (untilTrial > 0) {
      untilTrial--;
    } else {
      triedPacked = packed;
      inFlight.addLast(new Sent(epoch, packed, bytes, beganNs));
    }
  }

  /** The backup has acked an epoch, and all before it. */
  public synchronized void acked(long epoch, long nowNs) {
    while (!inFlight.isEmpty() && inFlight.peekFirst().epoch <= epoch) {
      Sent sent = inFlight.removeFirst();
      double ns = (double) (nowNs - sent.beganNs) / sent.bytes;
      (sent.packed ? packedNs : plainNs).add(ns);
    }
    if (packedNs.size() >= TRIED && plainNs.size() >= TRIED) {
      usuallyPacked = median(plainNs) > median(packedNs) * PREFERENCE;
      untilTrial = TRIAL_EVERY;
      packedNs.clear();
      plainNs.clear();
      inFlight.clear();
    }
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().skip(values.size() / 2).findFirst().orElseThrow();
  }
}
