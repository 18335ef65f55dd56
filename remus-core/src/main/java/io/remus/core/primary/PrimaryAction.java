package io.remus.core.primary;

import io.remus.core.control.EventRecord.Level;
import io.remus.core.epoch.DurableAck;
import io.remus.core.epoch.Term;
import io.remus.core.failover.Role;

/** What the primary's adapters are to do, in the order given. */
public sealed interface PrimaryAction {
  /** Dial the backup. */
  record Connect() implements PrimaryAction {}

  /** Ask the backup to start a standby. */
  record Prepare() implements PrimaryAction {}

  /** Send the RAM while the guest runs. */
  record Synchronise() implements PrimaryAction {}

  /** Hold the guest's output from now on. */
  record Plug() implements PrimaryAction {}

  /** Start the epoch loop. */
  record RunEpochs() implements PrimaryAction {}

  /** Let the packets of an acked epoch go. */
  record Release(DurableAck ack, long marker) implements PrimaryAction {}

  /** End the epoch loop after the epoch under way. */
  record FinishEpochs() implements PrimaryAction {}

  /** End the epoch loop now; an epoch under way is given back. */
  record HaltEpochs() implements PrimaryAction {}

  /** Note on disk that the next action stops the guest: whoever finds it so lets it run. */
  record NoteStop() implements PrimaryAction {}

  /** End the epoch loop with an epoch that leaves the guest stopped. */
  record StopGuest() implements PrimaryAction {}

  /** Let a guest that {@link StopGuest} stopped, or was about to, run on. */
  record ResumeGuest() implements PrimaryAction {}

  /** Ask the backup to give its standby up. */
  record VoidStandby() implements PrimaryAction {}

  /** Ask the peer over every path what it knows of the VM. */
  record AskPeer() implements PrimaryAction {}

  /** Ask the peer again after a while. */
  record AskPeerAgain() implements PrimaryAction {}

  /** Ask the arbiter whether this host may go on without its standby; the answer is an event. */
  record AskArbiter() implements PrimaryAction {}

  /** Let all held output go and remove the rules. */
  record Unplug() implements PrimaryAction {}

  /** Remove the rules; what is held is never seen. */
  record DropOutput() implements PrimaryAction {}

  /** Write role and term to disk before the next action. */
  record Persist(Role role, Term term) implements PrimaryAction {}

  /** Destroy this host's copy of the VM. */
  record DestroyGuest() implements PrimaryAction {}

  /** Tell the backup to run the VM under {@code term}. */
  record HandOver(Term term) implements PrimaryAction {}

  /** Close the connection. */
  record Disconnect() implements PrimaryAction {}

  /** Make a state change or a fact known. */
  record Tell(Level level, String message) implements PrimaryAction {}

  /** The machine has ended and the adapters can be freed. */
  record End() implements PrimaryAction {}
}
