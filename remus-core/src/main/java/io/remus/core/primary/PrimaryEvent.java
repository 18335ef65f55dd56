package io.remus.core.primary;

import io.remus.core.epoch.DurableAck;
import io.remus.core.epoch.EpochId;
import io.remus.core.epoch.Term;
import io.remus.core.failover.Verdict;

/** What can happen to a protected VM on the host that runs it. */
public sealed interface PrimaryEvent {
  /** The peer greeted us. */
  record Connected() implements PrimaryEvent {}

  /** The standby stands ready for the initial synchronisation. */
  record Prepared() implements PrimaryEvent {}

  /** The peer, or this host, cannot protect the VM. Nothing was held or stopped yet. */
  record Refused(String reason) implements PrimaryEvent {}

  /** What is left to send fits one epoch. */
  record Synchronised() implements PrimaryEvent {}

  /**
   * The guest stood still for {@code epoch} and runs again.
   *
   * @param marker id of the last packet sent before it stopped; -1 without a network
   */
  record Captured(EpochId epoch, long marker) implements PrimaryEvent {}

  /** The backup committed an epoch. */
  record Acked(DurableAck ack) implements PrimaryEvent {}

  /** The epoch loop ended as asked; no epoch will follow. */
  record EpochsFinished() implements PrimaryEvent {}

  /** The epoch loop cannot go on. The guest runs. */
  record EpochsFailed(String reason) implements PrimaryEvent {}

  /** The standby does not fit the guest any more. The guest runs; one that fits can be made. */
  record GuestChanged(String reason) implements PrimaryEvent {}

  /** Connection broken or silent for the whole timeout. */
  record LinkLost(String reason) implements PrimaryEvent {}

  /** The peer says that its standby is of no use any more. */
  record StandbyFailed(String reason) implements PrimaryEvent {}

  /** The peer gave up its standby durably: it will not promote it. */
  record StandbyVoided() implements PrimaryEvent {}

  /** The peer holds or runs a newer term. */
  record PeerNewer(Term term) implements PrimaryEvent {}

  /**
   * The peer, asked, still has its standby under our term.
   *
   * @param guestRuns whether the VM still runs on this host
   */
  record PeerStandby(boolean guestRuns) implements PrimaryEvent {}

  /**
   * No path to the peer answered.
   *
   * @param guestRuns whether the VM still runs on this host
   */
  record PeerUnreachable(boolean guestRuns) implements PrimaryEvent {}

  /** What the arbiter says to this host's wish to go on without its standby. */
  record ArbiterSaid(Verdict verdict) implements PrimaryEvent {}

  /** The peer, asked by its admin, wants the VM under {@code term}. */
  record PeerClaims(Term term) implements PrimaryEvent {}

  /** The admin, or the agent's own stop, ends protection. */
  record StopRequested() implements PrimaryEvent {}

  /** The admin ends protection without waiting for the peer's answer. */
  record StopForced() implements PrimaryEvent {}

  /** The admin hands the VM over. */
  record FailoverRequested() implements PrimaryEvent {}

  /**
   * The admin moves the VM in order.
   *
   * @param sharesDisks the backup's copy cannot open the disks as long as this one has them
   */
  record SwitchoverRequested(boolean sharesDisks) implements PrimaryEvent {}

  /** The switchover cannot begin. Nothing was stopped. */
  record SwitchoverRefused(String reason) implements PrimaryEvent {}

  /** The term of the hand-over is not on disk. */
  record HandOverFailed(String reason) implements PrimaryEvent {}

  /** The guest, or the word of the backup that it runs there, has been waited for too long. */
  record SwitchoverOverdue() implements PrimaryEvent {}

  /** The guest ended by the will of its owner (shutdown, destroy). */
  record GuestEnded(String reason) implements PrimaryEvent {}

  /** The guest was lost: QEMU died. */
  record GuestCrashed(String reason) implements PrimaryEvent {}
}
