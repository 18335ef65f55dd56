package io.remus.agent.primary;

import io.remus.core.epoch.EpochId;

/** Told by the epoch loop, on its thread, how the replication of a VM goes. */
public interface EpochListener {
  /** What is left to send fits one epoch; the loop waits for {@link EpochLoop#begin}. */
  void synchronised();

  /**
   * The guest stood still and runs again, or is about to.
   *
   * @param marker id of its last packet before that; -1 without a network
   * @param epoch what was taken
   */
  void captured(EpochId epoch, long marker, EpochTimes times);

  /** The loop ended as it was asked to, at an epoch's end. */
  void finished();

  /** The loop cannot go on. The guest runs. */
  void failed(String reason);
}
