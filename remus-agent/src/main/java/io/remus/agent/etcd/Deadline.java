package io.remus.agent.etcd;

import java.time.Duration;

/**
 * The moment at which a question has to be answered.
 *
 * @param atNs on the clock of {@link System#nanoTime}
 */
public record Deadline(long atNs) {
  /** The end of the time that a question may take. */
  public static Deadline ofQuestion() {
    return new Deadline(System.nanoTime() + EtcdGateway.LIMIT.toNanos());
  }

  boolean isOver() {
    return left() <= 0;
  }

  /** What each of several tries may take, in equal parts of what is left. */
  Duration part(int tries) {
    return Duration.ofNanos(Math.max(0, left()) / tries);
  }

  private long left() {
    return atNs - System.nanoTime();
  }
}
