package io.remus.agent.term;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.remus.core.control.DiskDurability;

/**
 * How the admin wants a VM protected.
 *
 * @param peer the other host
 * @param intervalMs epoch length, milliseconds
 * @param withoutDisks writable disks need no replication
 * @param diskDurability what an ack is to say of disk writes
 */
public record Wish(
    String peer,
    @JsonProperty("interval_ms") int intervalMs,
    @JsonProperty("without_disks") boolean withoutDisks,
    @JsonProperty("disk_durability") DiskDurability diskDurability) {}
