package io.remus.agent.term;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * How the admin wants a VM protected.
 *
 * @param peer the other host
 * @param intervalMs epoch length, milliseconds
 * @param withoutDisks writable disks need no replication
 */
public record Wish(
    String peer,
    @JsonProperty("interval_ms") int intervalMs,
    @JsonProperty("without_disks") boolean withoutDisks) {}
