package io.remus.agent.conductor;

import io.remus.core.control.VerificationReport;
import java.util.List;
import java.util.stream.Collectors;

/** What a comparison found, as an event says it. */
final class VerificationWords {
  private VerificationWords() {}

  static String of(VerificationReport report) {
    List<VerificationReport.Disk> disks =
        report.disks().stream().filter(disk -> disk.notCompared() == null).toList();
    if (report.equal()) {
      return "verified: the standby on %s is equal at epoch %d: memory%s"
          .formatted(
              report.peer(),
              report.epoch(),
              disks.stream().map(disk -> ", " + disk.disk()).collect(Collectors.joining()));
    }
    return "the standby on %s differs at epoch %d: memory in %d of %d MiB%s; protect it anew"
        .formatted(
            report.peer(),
            report.epoch(),
            report.memory().different(),
            report.memory().pieces(),
            disks.stream()
                .map(
                    disk ->
                        ", %s in %d of %d blocks"
                            .formatted(disk.disk(), disk.different(), disk.blocks()))
                .collect(Collectors.joining()));
  }
}
