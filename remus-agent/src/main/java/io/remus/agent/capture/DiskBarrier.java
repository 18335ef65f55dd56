package io.remus.agent.capture;

import io.remus.agent.guest.GuestException;
import io.remus.agent.nativeio.Counter;

/**
 * Which disk writes belong to an epoch: QEMU stops a guest when all its writes have been answered,
 * so what was counted by then is the epoch's, exactly.
 */
public interface DiskBarrier {
  /** The guest is about to be stopped: nobody may keep one of its writes waiting. */
  void guestStops();

  /** The guest was stopped, or did not come to it. */
  void guestStopped();

  /** The writes so far; null when there is nothing to count. */
  Counter count();

  /**
   * Every write of the guest until it was stopped has been counted. Called after each pause, while
   * the guest runs.
   *
   * @throws GuestException when a disk's writes may have been missed
   */
  void verify() throws GuestException;
}
