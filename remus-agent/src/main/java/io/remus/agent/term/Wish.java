package io.remus.agent.term;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.remus.core.control.DiskDurability;
import java.util.ArrayList;
import java.util.List;

/**
 * How the admin wants a VM protected.
 *
 * @param peer the other host
 * @param intervalMs epoch length, milliseconds
 * @param idleIntervalMs the same as long as the guest sends nothing, milliseconds
 * @param withoutDisks writable disks need no replication
 * @param diskDurability what an ack is to say of disk writes
 * @param spares hosts to protect the VM with when the other host is lost, the first choice first
 */
public record Wish(
    String peer,
    @JsonProperty("interval_ms") int intervalMs,
    @JsonProperty("idle_interval_ms") int idleIntervalMs,
    @JsonProperty("without_disks") boolean withoutDisks,
    @JsonProperty("disk_durability") DiskDurability diskDurability,
    List<String> spares) {

  public Wish {
    spares = List.copyOf(spares);
  }

  /** The same with another host; all others are spares, in their order. */
  public Wish with(String host) {
    List<String> others = new ArrayList<>(hosts());
    others.remove(host);
    return new Wish(host, intervalMs, idleIntervalMs, withoutDisks, diskDurability, others);
  }

  /** Every host that may be the other one, the first choice first. */
  public List<String> hosts() {
    List<String> hosts = new ArrayList<>();
    hosts.add(peer);
    hosts.addAll(spares);
    return hosts;
  }

  /** What is wished after the other host was lost: a spare if there is one, and that host last. */
  public Wish afterLoss() {
    if (spares.isEmpty()) {
      return this;
    }
    List<String> others = new ArrayList<>(spares.subList(1, spares.size()));
    others.add(peer);
    return new Wish(
        spares.get(0), intervalMs, idleIntervalMs, withoutDisks, diskDurability, others);
  }
}
