package io.remus.cli.output;

import io.remus.core.control.Figures;
import io.remus.core.control.VmStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;

/** The status of VMs for people. */
public final class StatusText {
  private StatusText() {}

  /** A line for each VM; the warnings of all below. */
  public static String of(List<VmStatus> vms, Instant now) {
    if (vms.isEmpty()) {
      return "No VM is protected by this host, and it stands by for none.\n";
    }
    Table table = new Table("VM", "ROLE", "STATE", "SINCE", "PEER", "EPOCH", "PAUSE", "REASON");
    StringBuilder warnings = new StringBuilder();
    for (VmStatus vm : vms) {
      Figures figures = vm.figures();
      table.row(
          vm.name(),
          vm.role().word(),
          vm.state().word(),
          age(vm, now),
          or(vm.peer()),
          newestEpoch(vm.epoch()),
          figures == null ? "-" : Quantities.millis(figures.pauseMs().p50()),
          vm.reason());
      vm.warnings()
          .forEach(
              warning -> warnings.append("warning: VM %s: %s%n".formatted(vm.name(), warning)));
    }
    return table.toString() + warnings;
  }

  /** Everything about one VM. */
  public static String of(VmStatus vm, Instant now) {
    StringBuilder text = new StringBuilder();
    line(text, "VM", vm.name() + " (" + vm.uuid() + ")");
    line(text, "Role", vm.role().word() + (vm.peer() == null ? "" : ", peer " + vm.peer()));
    if (!vm.spares().isEmpty()) {
      line(text, "Spares", String.join(", ", vm.spares()));
    }
    line(text, "State", vm.state().word() + " for " + age(vm, now));
    line(text, "", vm.state().sentence());
    if (!vm.reason().isEmpty()) {
      line(text, "Reason", vm.reason());
    }
    line(text, "Term", String.valueOf(vm.term()));
    line(text, "Interval", interval(vm));
    if (!vm.disks().isEmpty()) {
      line(
          text,
          "Disks",
          "%s; an ack means '%s'"
              .formatted(String.join(", ", vm.disks()), vm.diskDurability().word()));
    }
    if (vm.tracker() != null) {
      line(text, "Dirty pages", "found by " + vm.tracker());
    }
    if (vm.output() != null) {
      line(text, "Output", "held by " + vm.output());
    }
    if (vm.epoch() != null) {
      line(text, "Epochs", epochs(vm.epoch()));
    }
    if (vm.sync() != null) {
      line(text, "Sync", sync(vm.sync()));
    }
    if (vm.figures() != null) {
      figures(text, vm.figures());
    }
    vm.warnings().forEach(warning -> line(text, "Warning", warning));
    return text.toString();
  }

  /** Progress of the initial synchronisation on one line. */
  static String sync(VmStatus.Sync sync) {
    String sent =
        "%s sent at %s/s"
            .formatted(
                Quantities.bytes((double) sync.sentBytes()),
                Quantities.bytes(sync.bytesPerSecond()));
    return sync.round() == 0
        ? "%.0f %% of the disks, %s, %s to go"
            .formatted(sync.percent(), sent, Quantities.bytes((double) sync.diskRemainingBytes()))
        : "%.0f %%, round %d, %s, %d pages to go, guest dirties %.0f pages/s"
            .formatted(
                sync.percent(),
                sync.round(),
                sent,
                sync.remainingPages(),
                sync.dirtyPagesPerSecond());
  }

  private static void figures(StringBuilder text, Figures figures) {
    line(text, "", String.format(Locale.ROOT, "%-16s %12s %12s %12s", "", "median", "p99", "max"));
    line(text, "Pause", times(figures.pauseMs()));
    line(text, "Start to ack", times(figures.ackMs()));
    line(text, "Dirty pages", counts(figures.dirtyPages()));
    line(text, "Bytes an epoch", counts(figures.bytesPerEpoch()));
    line(text, "Sent", sent(figures.sentBytes()));
    line(
        text,
        "Rate",
        String.format(
            Locale.ROOT,
            "%.1f epochs/s, %d acked, %d throttled",
            figures.epochsPerSecond(),
            figures.epochs(),
            figures.throttledEpochs()));
    line(
        text,
        "Packets",
        "%d held, %d dropped".formatted(figures.heldPackets(), figures.droppedPackets()));
  }

  private static String sent(Figures.SentBytes sent) {
    return "%s of pages, %s of disks, %s of devices"
        .formatted(
            Quantities.bytes((double) sent.pages()),
            Quantities.bytes((double) sent.disks()),
            Quantities.bytes((double) sent.devices()));
  }

  private static String times(Figures.Times times) {
    return row(
        Quantities.millis(times.p50()),
        Quantities.millis(times.p99()),
        Quantities.millis(times.max()));
  }

  private static String counts(Figures.Counts counts) {
    return row(
        String.valueOf(counts.p50()), String.valueOf(counts.p99()), String.valueOf(counts.max()));
  }

  private static String row(String p50, String p99, String max) {
    return String.format(Locale.ROOT, "%-16s %12s %12s %12s", "", p50, p99, max);
  }

  private static String epochs(VmStatus.Epochs epoch) {
    if (epoch.committed() != null) {
      return "committed " + epoch.committed();
    }
    return "captured %s, acked %s, released %s"
        .formatted(epoch.captured(), epoch.acked(), epoch.released());
  }

  private static String newestEpoch(VmStatus.Epochs epoch) {
    if (epoch == null) {
      return "-";
    }
    Long newest = epoch.committed() == null ? epoch.acked() : epoch.committed();
    return newest == null ? "-" : newest.toString();
  }

  private static String interval(VmStatus vm) {
    return vm.idleIntervalMs() == vm.intervalMs()
        ? vm.intervalMs() + " ms"
        : "%d ms, %d ms while the guest sends nothing"
            .formatted(vm.intervalMs(), vm.idleIntervalMs());
  }

  private static String age(VmStatus vm, Instant now) {
    return Quantities.age(Duration.between(vm.since(), now));
  }

  private static String or(String text) {
    return text == null ? "-" : text;
  }

  private static void line(StringBuilder text, String label, String value) {
    text.append(String.format(Locale.ROOT, "%-15s%s", label, value).stripTrailing()).append('\n');
  }
}
