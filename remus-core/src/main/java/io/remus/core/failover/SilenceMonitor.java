package io.remus.core.failover;

/**
 * Measures how long a peer has been silent. Any frame counts as a sign of life.
 *
 * <p>Half the timeout without one is suspicion, the whole of it is loss. Times are nanoseconds of a
 * monotonic clock and come from the caller. A gap between two looks that is longer than the
 * suspicion itself is not the peer's silence but our own sleep (a stopped or starved process), and
 * what came in meanwhile has not been read yet: the count starts anew.
 */
public final class SilenceMonitor {
  /** What silence means. */
  public enum Verdict {
    ALIVE,
    SUSPECT,
    LOST
  }

  private final long timeoutNs;
  private long heardAtNs;
  private long lookedAtNs;

  public SilenceMonitor(long timeoutNs, long nowNs) {
    if (timeoutNs <= 0) {
      throw new IllegalArgumentException("timeout must be positive: " + timeoutNs);
    }
    this.timeoutNs = timeoutNs;
    this.heardAtNs = nowNs;
    this.lookedAtNs = nowNs;
  }

  /** The peer gave a sign of life. */
  public void heard(long nowNs) {
    heardAtNs = Math.max(heardAtNs, nowNs);
  }

  /** To be asked several times within the timeout. */
  public Verdict look(long nowNs) {
    if (nowNs - lookedAtNs > timeoutNs / 2) {
      heardAtNs = nowNs;
    }
    lookedAtNs = nowNs;
    long silentNs = silentNs(nowNs);
    if (silentNs >= timeoutNs) {
      return Verdict.LOST;
    }
    return silentNs >= timeoutNs / 2 ? Verdict.SUSPECT : Verdict.ALIVE;
  }

  /** Time since the last sign of life. */
  public long silentNs(long nowNs) {
    return nowNs - heardAtNs;
  }
}
