package io.remus.agent.conductor;

import io.remus.agent.control.RefusedException;
import io.remus.agent.guest.GuestException;
import io.remus.agent.guest.RunningGuest;
import io.remus.agent.hosts.Candidates;
import io.remus.agent.hosts.Hosts;
import io.remus.agent.term.Wish;
import io.remus.core.control.HostInfo;
import io.remus.core.control.ProtectRequest;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Finds a backup for VMs whose admin does not mind which: the word for that is {@code auto}. */
final class BackupFinder {
  private final Surroundings around;
  private final Hosts hosts;

  BackupFinder(Surroundings around, Hosts hosts) {
    this.around = around;
    this.hosts = hosts;
  }

  /** The same request with a backup that fits, and any other as the last spare. */
  ProtectRequest resolve(String vm, ProtectRequest request) {
    boolean anySpare = request.spares().contains(ProtectRequest.AUTO);
    boolean any = request.backup().equals(ProtectRequest.AUTO);
    if ((any || anySpare) && !hosts.areTold()) {
      throw RefusedException.conflict(
          "auto-needs-etcd",
          "no backup can be found for VM %s: hosts know of each other only where etcd is the arbiter"
              .formatted(vm),
          "name a host, or configure [arbiter] with kind = \"etcd\"");
    }
    if (!any) {
      return request;
    }
    Candidates.Needs needs = needs(vm);
    List<String> found = new ArrayList<>(candidates(needs));
    found.removeAll(request.spares());
    if (found.isEmpty()) {
      throw RefusedException.conflict(
          "no-backup-found",
          "no host can be the backup of VM %s: none with this host's QEMU and processor has %d MiB of memory free and the bridges %s"
              .formatted(vm, needs.memoryBytes() >> 20, String.join(", ", needs.bridges())),
          "see what the others have: remus host list");
    }
    List<String> spares = new ArrayList<>(request.spares());
    if (!anySpare) {
      spares.add(ProtectRequest.AUTO);
    }
    return new ProtectRequest(
        found.get(0),
        request.intervalMs(),
        request.idleIntervalMs(),
        request.disk(),
        request.diskDurability(),
        spares);
  }

  /** The hosts of a wish in their order; in the place of {@code auto}, those that fit. */
  Set<String> hosts(String vm, Wish wish) {
    Set<String> named = new LinkedHashSet<>();
    for (String host : wish.hosts()) {
      if (host.equals(ProtectRequest.AUTO)) {
        named.addAll(candidates(needs(vm)));
      } else {
        named.add(host);
      }
    }
    named.remove(around.config().host());
    return named;
  }

  private List<String> candidates(Candidates.Needs needs) {
    List<HostInfo> known = hosts.list();
    return Candidates.of(hosts.self(), known, needs);
  }

  private Candidates.Needs needs(String vm) {
    try (RunningGuest guest = RunningGuest.open(around.hypervisor(), vm, true)) {
      return new Candidates.Needs(guest.memoryBytes(), guest.bridges());
    } catch (GuestException e) {
      throw Conductor.refused(e);
    }
  }
}
