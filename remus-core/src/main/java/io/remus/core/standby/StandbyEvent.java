package io.remus.core.standby;

import io.remus.core.epoch.EpochId;
import io.remus.core.epoch.Term;
import io.remus.core.failover.Verdict;

/** What can happen to a standby on the backup host. */
public sealed interface StandbyEvent {
  /** The standby QEMU waits with blank RAM. */
  record Started() implements StandbyEvent {}

  /** No standby can be had here. */
  record StartFailed(String reason) implements StandbyEvent {}

  /** Every byte of an epoch is here and its checksums hold. */
  record Staged(EpochId epoch) implements StandbyEvent {}

  /** What was sent cannot be used: malformed, out of order, or more than the stage holds. */
  record Unusable(String reason) implements StandbyEvent {}

  /** Committed pages could not be written to the standby's RAM, or its QEMU died. */
  record StandbyLost(String reason) implements StandbyEvent {}

  /** The connection broke; the primary may live. */
  record LinkLost(String reason) implements StandbyEvent {}

  /** Half the failover timeout passed in silence. */
  record Suspected() implements StandbyEvent {}

  /** The whole failover timeout passed without a sign of life on any path. */
  record Expired() implements StandbyEvent {}

  /** The primary's host answers, but no agent does there: one that restarts keeps its guest. */
  record AgentMissing() implements StandbyEvent {}

  /** What the arbiter says to this host's wish to take the VM over. */
  record ArbiterSaid(Verdict verdict) implements StandbyEvent {}

  /** A frame came in again. */
  record Heard() implements StandbyEvent {}

  /** Over another path the primary said that it runs the guest. */
  record PrimaryAnswered() implements StandbyEvent {}

  /** Over another path the primary said that it protects the VM no more. */
  record PrimaryEnded(String reason) implements StandbyEvent {}

  /** The primary ends protection under {@code term}. */
  record StopReceived(Term term) implements StandbyEvent {}

  /** The primary has destroyed its copy and hands over under {@code term}. */
  record Yielded(Term term) implements StandbyEvent {}

  /** The admin on this host wants the VM here. */
  record FailoverRequested() implements StandbyEvent {}

  /** The primary did not answer the claim. */
  record ClaimUnanswered() implements StandbyEvent {}

  /** The guest runs here. */
  record Activated() implements StandbyEvent {}

  /** The standby did not come to life. */
  record ActivationFailed(String reason) implements StandbyEvent {}
}
