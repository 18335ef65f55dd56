package io.remus.core.failover;

import java.time.Duration;

/**
 * How long to wait before a VM whose protection was lost is protected again: not at all, but ever
 * longer when it is lost again and again, for each attempt costs the guest a synchronisation. Not
 * thread-safe.
 */
public final class LossBackoff {
  /** The first wait; it doubles from loss to loss. */
  static final Duration SHORTEST = Duration.ofSeconds(1);

  /** A guest that is not protected is worse off than one that is synchronised every minute. */
  static final Duration LONGEST = Duration.ofMinutes(1);

  /** A protection that lasted so long was a good one. */
  static final Duration STEADY = Duration.ofMinutes(1);

  private Duration wait = Duration.ZERO;
  private long lastNs;
  private boolean lostBefore;

  /**
   * Protection was lost.
   *
   * @param nowNs monotonic time
   * @return how long to wait from now on
   */
  public Duration lost(long nowNs) {
    boolean soon = lostBefore && nowNs - lastNs < wait.plus(STEADY).toNanos();
    wait = soon ? longer(wait, SHORTEST, LONGEST) : Duration.ZERO;
    lostBefore = true;
    lastNs = nowNs;
    return wait;
  }

  /** The wait after {@code wait}: twice as long, within the bounds; zero is before the first. */
  public static Duration longer(Duration wait, Duration shortest, Duration longest) {
    Duration twice = wait.multipliedBy(2);
    return wait.isZero() ? shortest : twice.compareTo(longest) > 0 ? longest : twice;
  }
}
