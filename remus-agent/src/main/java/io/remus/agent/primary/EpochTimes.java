package io.remus.agent.primary;

/**
 * When an epoch's pause was, on the clock of {@link System#nanoTime}, and what it was spent on.
 *
 * @param startedAtNs the command was sent that stops the guest
 * @param stoppedAtNs the guest was seen stopped
 * @param resumedAtNs the guest was let go
 * @param pages pages it had written
 * @param scanNs of the pause, looking for written pages
 * @param copyNs of the pause, copying those that were not copied before it
 */
public record EpochTimes(
    long startedAtNs, long stoppedAtNs, long resumedAtNs, long pages, long scanNs, long copyNs) {
  /** How long the guest stood still. */
  public long pauseNs() {
    return resumedAtNs - stoppedAtNs;
  }
}
