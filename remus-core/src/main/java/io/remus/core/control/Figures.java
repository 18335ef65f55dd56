package io.remus.core.control;

/**
 * What protection costs, measured since it began.
 *
 * @param pauseMs how long the guest stood still for an epoch, milliseconds
 * @param ackMs from an epoch's start to its ack, milliseconds
 * @param dirtyPages pages dirtied in an epoch
 * @param bytesPerEpoch bytes sent for an epoch
 * @param sentBytes bytes sent for all epochs, by what they are
 * @param epochs acked epochs
 * @param epochsPerSecond acked epochs a second over the last ten seconds
 * @param heldPackets packets waiting for an ack now
 * @param droppedPackets packets of the guest dropped because the queue was full
 * @param throttledEpochs epochs that were made longer because the link or the backup was too slow
 */
public record Figures(
    Times pauseMs,
    Times ackMs,
    Counts dirtyPages,
    Counts bytesPerEpoch,
    SentBytes sentBytes,
    long epochs,
    double epochsPerSecond,
    long heldPackets,
    long droppedPackets,
    long throttledEpochs) {

  /** Median, 99th percentile and maximum of a time, in milliseconds. */
  public record Times(double p50, double p99, double max) {}

  /** Median, 99th percentile and maximum of a count. */
  public record Counts(long p50, long p99, long max) {}

  /** Bytes of page records, of disk writes and of the devices' state. */
  public record SentBytes(long pages, long disks, long devices) {}
}
