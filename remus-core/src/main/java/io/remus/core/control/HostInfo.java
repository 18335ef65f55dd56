package io.remus.core.control;

import java.util.List;

/**
 * A host as its agent tells of it. Of a host that tells nothing only the name is known.
 *
 * @param host its name
 * @param registered whether its agent runs and tells of itself; the rest is empty otherwise
 * @param draining whether it takes no standby because it is to be maintained
 * @param agentVersion of the agent's software
 * @param emulator QEMU's version
 * @param cpu model of its processors
 * @param memoryFreeBytes memory that a new standby may take
 * @param bridges that VMs can be plugged into
 * @param primaries names of the VMs that it runs and protects
 * @param standbys names of the VMs that it stands by for
 */
public record HostInfo(
    String host,
    boolean registered,
    boolean draining,
    String agentVersion,
    String emulator,
    String cpu,
    long memoryFreeBytes,
    List<String> bridges,
    List<String> primaries,
    List<String> standbys) {

  public HostInfo {
    bridges = bridges == null ? List.of() : List.copyOf(bridges);
    primaries = primaries == null ? List.of() : List.copyOf(primaries);
    standbys = standbys == null ? List.of() : List.copyOf(standbys);
  }

  /** A configured host that tells nothing of itself. */
  public static HostInfo unregistered(String host) {
    return new HostInfo(host, false, false, null, null, null, 0, List.of(), List.of(), List.of());
  }
}
