package io.remus.agent.arbiter;

import io.remus.core.epoch.Term;

/**
 * One protection of one VM.
 *
 * @param uuid the VM's
 * @param vm its name
 * @param term the primary's term
 * @param primary the host that runs it
 * @param standby the host that holds its standby
 */
public record Pair(String uuid, String vm, Term term, String primary, String standby) {}
