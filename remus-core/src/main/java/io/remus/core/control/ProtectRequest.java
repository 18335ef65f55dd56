package io.remus.core.control;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Protects a VM.
 *
 * @param backup the peer that receives the copy, a name of the configuration's {@code [peers]}, or
 *     {@link #AUTO}
 * @param intervalMs time from one epoch's start to the next in milliseconds, 10 to 1,000; null for
 *     the agent's configured interval
 * @param idleIntervalMs the same as long as the guest sends nothing, not shorter than {@code
 *     intervalMs}; null for the agent's configured one
 * @param disk {@code "none"} to protect a VM without replicating its writable disks; {@code
 *     "mirror"} or null to replicate them
 * @param diskDurability {@code "memory"}, the default, or {@code "journal"}: where the backup has
 *     an epoch's disk writes when it acks it
 * @param spares hosts to protect the VM with when the backup is lost, the first choice first; null
 *     or empty for none, at most 16
 */
public record ProtectRequest(
    String backup,
    Integer intervalMs,
    Integer idleIntervalMs,
    String disk,
    DiskDurability diskDurability,
    List<String> spares) {
  /** In place of a host: any that fits. */
  public static final String AUTO = "auto";

  public static final int MOST_SPARES = 16;
  public static final int MIN_INTERVAL_MS = 10;
  public static final int MAX_INTERVAL_MS = 1_000;
  public static final String DISK_NONE = "none";
  public static final String DISK_MIRROR = "mirror";

  /**
   * Refuses wrong values.
   *
   * @throws IllegalArgumentException naming the JSON field that is wrong and what it may be
   */
  public ProtectRequest {
    if (backup == null || backup.isBlank()) {
      throw new IllegalArgumentException("backup: the name of the backup host is missing");
    }
    checkRange("interval_ms", intervalMs, MIN_INTERVAL_MS);
    checkRange(
        "idle_interval_ms", idleIntervalMs, intervalMs == null ? MIN_INTERVAL_MS : intervalMs);
    if (disk != null && !disk.equals(DISK_NONE) && !disk.equals(DISK_MIRROR)) {
      throw new IllegalArgumentException(
          "disk: \"%s\" is not known, allowed are \"mirror\" and \"none\"".formatted(disk));
    }
    spares = spares == null ? List.of() : List.copyOf(spares);
    List<String> hosts = new ArrayList<>(spares);
    hosts.add(backup);
    if (spares.size() > MOST_SPARES || Set.copyOf(hosts).size() < hosts.size()) {
      throw new IllegalArgumentException(
          "spares: allowed are up to %d hosts, each once and none the backup"
              .formatted(MOST_SPARES));
    }
  }

  private static void checkRange(String field, Integer ms, int min) {
    if (ms != null && (ms < min || ms > MAX_INTERVAL_MS)) {
      throw new IllegalArgumentException(
          "%s: %d is out of range, allowed are %d to %d milliseconds"
              .formatted(field, ms, min, MAX_INTERVAL_MS));
    }
  }
}
