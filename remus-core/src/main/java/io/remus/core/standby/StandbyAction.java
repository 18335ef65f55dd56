package io.remus.core.standby;

import io.remus.core.control.EventRecord.Level;
import io.remus.core.epoch.EpochId;
import io.remus.core.epoch.Term;
import io.remus.core.failover.Role;

/** What the backup's adapters are to do, in the order given. */
public sealed interface StandbyAction {
  /** Start the standby QEMU. */
  record StartStandby() implements StandbyAction {}

  /** Tell the primary that the standby is ready. */
  record SendPrepared() implements StandbyAction {}

  /** Tell the primary that protection cannot start. */
  record SendRefused(String reason) implements StandbyAction {}

  /** Make a staged epoch the one to run on from, ack it, apply it. */
  record Commit(EpochId epoch) implements StandbyAction {}

  /** Write role and term to disk before the next action. */
  record Persist(Role role, Term term) implements StandbyAction {}

  /** Ask the primary over its other paths whether it lives; the answer is an event. */
  record AskPrimary() implements StandbyAction {}

  /** Ask the arbiter whether this host may take the VM over; the answer is an event. */
  record AskArbiter() implements StandbyAction {}

  /** Ask the living primary to destroy its copy in favour of {@code term}. */
  record SendClaim(Term term) implements StandbyAction {}

  /** Throw away what is not committed and run the guest from the last committed epoch. */
  record Activate() implements StandbyAction {}

  /** Tell the primary that the standby is given up for good. */
  record SendStopped() implements StandbyAction {}

  /** Tell whoever asked, or else the primary, what this host is to the VM now. */
  record SendRecord(Role role, Term term) implements StandbyAction {}

  /** Tell the primary that the standby was lost. */
  record SendFailed(String reason) implements StandbyAction {}

  /** End the standby QEMU. */
  record DestroyStandby() implements StandbyAction {}

  /** Close the connection. */
  record Disconnect() implements StandbyAction {}

  /** Make a state change or a fact known. */
  record Tell(Level level, String message) implements StandbyAction {}

  /** The machine has ended and the adapters can be freed; a running guest stays. */
  record End() implements StandbyAction {}
}
