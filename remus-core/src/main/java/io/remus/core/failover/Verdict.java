package io.remus.core.failover;

import io.remus.core.epoch.Term;

/** What an arbiter says to a host that wants to run a VM without the other host's consent. */
public sealed interface Verdict {
  /** The other copy will never be seen: go on. Said again when asked again. */
  record Granted() implements Verdict {}

  /**
   * The other host, or a later pair, has the VM.
   *
   * @param newest the newest term of the VM; newer than the asker's unless the asker's standby was
   *     given up under its own term
   * @param holder the host that runs the VM under it
   */
  record Denied(Term newest, String holder) implements Verdict {}

  /**
   * Nothing is known, so nothing may be done.
   *
   * @param why for the sysadmin
   * @param mayHaveBeenGranted the question was sent and its answer got lost: only asking again
   *     tells
   */
  record Unknown(String why, boolean mayHaveBeenGranted) implements Verdict {}
}
