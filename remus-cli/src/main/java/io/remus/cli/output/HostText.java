package io.remus.cli.output;

import io.remus.core.control.Drain;
import io.remus.core.control.HostInfo;
import java.util.List;

/** Hosts for people. */
public final class HostText {
  private HostText() {}

  /** All hosts, one on a line. */
  public static String of(List<HostInfo> hosts) {
    Table table = new Table("HOST", "STATE", "QEMU", "FREE MEMORY", "RUNS", "STANDS BY FOR");
    for (HostInfo host : hosts) {
      table.row(
          host.host(),
          state(host),
          host.registered() ? host.emulator() : "-",
          host.registered() ? Quantities.bytes((double) host.memoryFreeBytes()) : "-",
          names(host.primaries()),
          names(host.standbys()));
    }
    return table.toString();
  }

  /** Everything about one host. */
  public static String of(HostInfo host) {
    StringBuilder text = new StringBuilder();
    line(text, "Host", host.host());
    line(text, "State", state(host));
    if (host.registered()) {
      line(text, "Agent", host.agentVersion());
      line(text, "QEMU", host.emulator());
      line(text, "Processor", host.cpu());
      line(text, "Free memory", Quantities.bytes((double) host.memoryFreeBytes()));
      line(text, "Bridges", names(host.bridges()));
      line(text, "Runs", names(host.primaries()));
      line(text, "Stands by for", names(host.standbys()));
    }
    return text.toString();
  }

  /** What became of the VMs of a host. */
  public static String of(Drain drain) {
    StringBuilder text = new StringBuilder();
    drain.moved().forEach(vm -> text.append("VM %s: moved to its backup%n".formatted(vm)));
    drain
        .left()
        .forEach(left -> text.append("VM %s: left here: %s%n".formatted(left.vm(), left.reason())));
    text.append(
        drain.left().isEmpty()
            ? "this host is empty and takes no standby until its agent starts again%n".formatted()
            : "this host is not empty%n".formatted());
    return text.toString();
  }

  private static String state(HostInfo host) {
    return !host.registered() ? "not registered" : host.draining() ? "draining" : "ready";
  }

  private static String names(List<String> names) {
    return names.isEmpty() ? "-" : String.join(", ", names);
  }

  private static void line(StringBuilder text, String name, String value) {
    text.append("%-14s %s%n".formatted(name, value));
  }
}
