package io.remus.cli.output;

import io.remus.core.control.VerificationReport;
import io.remus.core.control.VerificationReport.Difference;
import io.remus.core.control.VerificationReport.Disk;
import io.remus.core.control.VerificationReport.Memory;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** What a comparison found, for people. */
public final class VerificationText {
  private VerificationText() {}

  /** The verdict, then every difference that is known. */
  public static String of(VerificationReport report) {
    String verdict =
        String.format(
            Locale.ROOT,
            "VM %s: the standby on %s %s at epoch %d (%.1f s)%n",
            report.vm(),
            report.peer(),
            report.equal() ? "is equal" : "DIFFERS",
            report.epoch(),
            report.seconds());
    return verdict
        + memory(report.memory())
        + report.disks().stream().map(VerificationText::disk).collect(Collectors.joining());
  }

  private static String memory(Memory memory) {
    String counts =
        "memory: %s in %d pieces compared, %d differ%n"
            .formatted(
                Quantities.bytes((double) memory.bytes()), memory.pieces(), memory.different());
    if (memory.different() == 0) {
      return counts;
    }
    Table table = new Table("BLOCK", "OFFSET", "SIZE");
    for (Difference difference : memory.differences()) {
      table.row(
          difference.block(),
          "0x%x".formatted(difference.offset()),
          Quantities.bytes((double) difference.bytes()));
    }
    return counts + table + unnamed(memory.different(), memory.differences());
  }

  private static String disk(Disk disk) {
    if (disk.notCompared() != null) {
      return "disk %s: NOT COMPARED, %s%n".formatted(disk.disk(), disk.notCompared());
    }
    String counts =
        "disk %s: %s in %d blocks compared, %d differ%n"
            .formatted(
                disk.disk(),
                Quantities.bytes((double) disk.bytes()),
                disk.blocks(),
                disk.different());
    if (disk.different() == 0) {
      return counts;
    }
    Table table = new Table("DISK", "OFFSET");
    for (long offset : disk.differences()) {
      table.row(disk.disk(), "0x%x".formatted(offset));
    }
    return counts + table + unnamed(disk.different(), disk.differences());
  }

  private static String unnamed(long different, List<?> named) {
    long more = different - named.size();
    return more > 0 ? "and %d more%n".formatted(more) : "";
  }
}
