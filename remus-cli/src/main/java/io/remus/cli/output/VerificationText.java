package io.remus.cli.output;

import io.remus.core.control.VerificationReport;
import io.remus.core.control.VerificationReport.Difference;
import io.remus.core.control.VerificationReport.Memory;
import java.util.Locale;

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
    return verdict + memory(report.memory()) + disks(report);
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
    long unnamed = memory.different() - memory.differences().size();
    return counts + table + (unnamed > 0 ? "and %d more%n".formatted(unnamed) : "");
  }

  private static String disks(VerificationReport report) {
    return report.disksNotCompared().isEmpty()
        ? ""
        : "not compared: the contents of %s%n"
            .formatted(String.join(", ", report.disksNotCompared()));
  }
}
