package io.remus.agent.primary;

/**
 * When an epoch's pause was, on the clock of {@link System#nanoTime}.
 *
 * @param startedAtNs the command was sent that stops the guest
 * @param stoppedAtNs the guest was seen stopped
 * @param resumedAtNs the guest was let go
 * @param pages pages it had written
 */
public record EpochTimes(long startedAtNs, long stoppedAtNs, long resumedAtNs, long pages) {
  /** How long the guest stood still. */
  public long pauseNs() {
    return resumedAtNs - stoppedAtNs;
  }
}
