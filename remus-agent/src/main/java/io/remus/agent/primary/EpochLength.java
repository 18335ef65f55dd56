package io.remus.agent.primary;

import io.remus.agent.nativeio.OutputQueue;

/**
 * How long the epoch under way is to last: as long as nobody waits for its end the idle interval,
 * with output the interval, with a stream a shorter one, and never so long that its pages would not
 * fit the arena. Of the thread of the epochs, but for {@link #output}. Times are nanoseconds.
 */
final class EpochLength {
  /**
   * An epoch of a stream ends so soon. A TCP stream sends no more than a window ahead of its acks:
   * what is released more often lets it send more.
   */
  static final long STREAM_NS = 10_000_000;

  /**
   * At the pace of the last epoch so much of the arena is to be filled: what is copied ahead of the
   * pause and written again takes room twice.
   */
  private static final double FILLED = 0.75;

  private final long intervalNs;
  private final long idleIntervalNs;
  private final double arenaPages;
  private volatile long soughtNs;
  private long fittingNs = Long.MAX_VALUE;

  EpochLength(long intervalNs, long idleIntervalNs, long arenaPages) {
    this.intervalNs = intervalNs;
    this.idleIntervalNs = idleIntervalNs;
    this.arenaPages = arenaPages;
    this.soughtNs = idleIntervalNs;
  }

  /** A new epoch begins, without output so far. */
  void begin() {
    soughtNs = idleIntervalNs;
  }

  /** The guest has sent something in this epoch. Any thread. */
  void output(OutputQueue.Told told) {
    long withOutputNs = told == OutputQueue.Told.MUCH ? STREAM_NS : intervalNs;
    soughtNs = Math.min(soughtNs, withOutputNs);
  }

  /**
   * An epoch has been captured.
   *
   * @param pages that the guest wrote in it
   * @param ranNs how long it ran meanwhile
   */
  void captured(long pages, long ranNs) {
    double fits = FILLED * arenaPages / pages * ranNs;
    fittingNs = Math.max(STREAM_NS, (long) fits);
  }

  long ns() {
    return Math.min(soughtNs, fittingNs);
  }
}
