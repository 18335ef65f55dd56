package io.remus.agent.primary;

import io.remus.core.control.VmStatus;

/**
 * How far the initial synchronisation is. Written by the epoch loop, read by anyone.
 *
 * @param round rounds begun, from 1
 * @param sentBytes bytes sent since the beginning
 * @param sentPages pages sent since the beginning
 * @param remainingPages pages still to send in this round
 * @param totalPages pages of the guest
 * @param dirtyPagesPerSecond how fast the guest dirtied pages in the last round
 * @param elapsedNs time since the beginning
 */
record SyncProgress(
    int round,
    long sentBytes,
    long sentPages,
    long remainingPages,
    long totalPages,
    double dirtyPagesPerSecond,
    long elapsedNs) {

  private static final double SECOND_NS = 1e9;

  VmStatus.Sync status() {
    double seconds = Math.max(1, elapsedNs) / SECOND_NS;
    return new VmStatus.Sync(
        round,
        sentBytes,
        remainingPages,
        dirtyPagesPerSecond,
        sentBytes / seconds,
        100.0 * (totalPages - remainingPages) / totalPages,
        0);
  }
}
