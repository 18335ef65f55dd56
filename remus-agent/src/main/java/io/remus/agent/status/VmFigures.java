package io.remus.agent.status;

import io.remus.core.control.Figures;
import io.remus.core.control.Figures.Counts;
import io.remus.core.control.Figures.SentBytes;
import io.remus.core.control.Figures.Times;
import io.remus.core.wire.ChunkKind;
import io.remus.core.wire.EpochTally;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.AbstractHistogram;
import org.HdrHistogram.AtomicHistogram;

/**
 * What the protection of one VM costs since it began. Any thread may record, without allocation,
 * and any thread may read. Times are nanoseconds; the caller's clock is monotonic.
 */
public final class VmFigures {
  private static final long MAX_NS = 600_000_000_000L;
  private static final long MAX_COUNT = 1L << 42;

  /** Three digits are 0.1 per cent; two are 1 per cent and a tenth of the memory. */
  private final AtomicHistogram pauseNs = new AtomicHistogram(1_000, MAX_NS, 3);

  private final AtomicHistogram ackNs = new AtomicHistogram(1_000, MAX_NS, 3);
  private final AtomicHistogram dirtyPages = new AtomicHistogram(1, MAX_COUNT, 2);
  private final AtomicHistogram bytes = new AtomicHistogram(1, MAX_COUNT, 2);
  private final LongAdder pageBytes = new LongAdder();
  private final LongAdder diskBytes = new LongAdder();
  private final LongAdder deviceBytes = new LongAdder();
  private final AtomicLong droppedPackets = new AtomicLong();
  private final AtomicLong throttledEpochs = new AtomicLong();
  private final AtomicLong heldPackets = new AtomicLong();
  private final RateWindow acks;

  /**
   * Begins to measure.
   *
   * @param nowNs now, on the clock of all later times
   */
  public VmFigures(long nowNs) {
    acks = new RateWindow(nowNs);
  }

  /** An epoch was captured: how long the guest stood still and what it had dirtied. */
  public void captured(long pauseNs, long dirtyPages) {
    record(this.pauseNs, pauseNs, MAX_NS);
    record(this.dirtyPages, dirtyPages, MAX_COUNT);
  }

  /** All of an epoch was sent. */
  public void sent(EpochTally epoch) {
    record(bytes, epoch.bytes(), MAX_COUNT);
    pageBytes.add(epoch.bytes(ChunkKind.PAGES));
    diskBytes.add(epoch.bytes(ChunkKind.DISK));
    deviceBytes.add(epoch.bytes(ChunkKind.DEVICE_STATE));
  }

  /** An epoch was acked, so long after its start. */
  public void acked(long nowNs, long sinceStartNs) {
    record(ackNs, sinceStartNs, MAX_NS);
    synchronized (acks) {
      acks.add(nowNs);
    }
  }

  /** The number of packets that wait for an ack now. */
  public void held(long packets) {
    heldPackets.set(packets);
  }

  /** The number of packets of the guest dropped so far because the queue was full. */
  public void dropped(long packets) {
    droppedPackets.set(packets);
  }

  /** An epoch was made longer because the link or the backup is too slow. */
  public void throttled() {
    throttledEpochs.incrementAndGet();
  }

  /** Everything up to now; empty before the first captured epoch. */
  public Optional<Figures> snapshot(long nowNs) {
    if (pauseNs.getTotalCount() == 0) {
      return Optional.empty();
    }
    double rate;
    synchronized (acks) {
      rate = acks.perSecond(nowNs);
    }
    return Optional.of(
        new Figures(
            times(pauseNs),
            times(ackNs),
            counts(dirtyPages),
            counts(bytes),
            new SentBytes(pageBytes.sum(), diskBytes.sum(), deviceBytes.sum()),
            ackNs.getTotalCount(),
            rate,
            heldPackets.get(),
            droppedPackets.get(),
            throttledEpochs.get()));
  }

  /** A value beyond the range counts as the largest; losing it would hide the worst epoch. */
  private static void record(AtomicHistogram histogram, long value, long max) {
    histogram.recordValue(Math.max(0, Math.min(value, max)));
  }

  private static Times times(AtomicHistogram histogram) {
    AbstractHistogram still = histogram.copy();
    return new Times(
        millis(still.getValueAtPercentile(50)),
        millis(still.getValueAtPercentile(99)),
        millis(still.getMaxValue()));
  }

  private static double millis(long ns) {
    return Math.round(ns / 1_000.0) / 1_000.0;
  }

  private static Counts counts(AtomicHistogram histogram) {
    AbstractHistogram still = histogram.copy();
    return new Counts(
        still.getValueAtPercentile(50), still.getValueAtPercentile(99), still.getMaxValue());
  }
}
