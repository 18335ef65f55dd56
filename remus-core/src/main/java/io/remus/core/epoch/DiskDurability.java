package io.remus.core.epoch;

/** What an ack says about the disk writes of its epoch. */
public enum DiskDurability {
  /**
   * The backup's kernel has them: they survive the loss of the primary and of the backup's agent.
   */
  MEMORY,
  /** They are on the backup's disk: they survive the loss of both hosts. */
  JOURNAL
}
