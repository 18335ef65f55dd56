package io.remus.agent.conductor;

import io.remus.core.control.VmState;
import io.remus.core.epoch.Term;
import io.remus.core.failover.Role;
import java.time.Instant;

/**
 * What the lane last made known of a VM; read by anyone. A claim of a newer term is in the view
 * before it is acted on.
 *
 * @param reason why it is in this state
 * @param since when it entered the state
 */
record VmView(Role role, Term term, VmState state, String reason, Instant since) {
  VmView now(Role newRole, Term newTerm, VmState newState, String newReason) {
    if (newRole == role && newTerm.equals(term) && newState == state && newReason.equals(reason)) {
      return this;
    }
    return new VmView(
        newRole, newTerm, newState, newReason, newState == state ? since : Instant.now());
  }
}
