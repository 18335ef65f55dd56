package io.remus.agent.hosts;

import io.remus.core.control.HostInfo;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/** Finds the hosts that can stand by for a VM. */
public final class Candidates {
  /**
   * What a VM needs of its backup.
   *
   * @param memoryBytes its RAM
   * @param bridges that it is plugged into
   */
  public record Needs(long memoryBytes, Set<String> bridges) {
    public Needs {
      bridges = Set.copyOf(bridges);
    }
  }

  private Candidates() {}

  /**
   * The hosts that fit, the one with the most free memory first: with this host's QEMU and
   * processors, since a guest may have seen both.
   *
   * @param self the host that runs the VM
   * @param hosts every host that is known
   */
  public static List<String> of(HostInfo self, Collection<HostInfo> hosts, Needs needs) {
    return hosts.stream()
        .filter(HostInfo::registered)
        .filter(host -> !host.host().equals(self.host()) && !host.draining())
        .filter(host -> host.emulator().equals(self.emulator()) && host.cpu().equals(self.cpu()))
        .filter(host -> host.memoryFreeBytes() >= needs.memoryBytes())
        .filter(host -> host.bridges().containsAll(needs.bridges()))
        .sorted(Comparator.comparingLong(HostInfo::memoryFreeBytes).reversed())
        .map(HostInfo::host)
        .toList();
  }
}
