package io.remus.cli.command;

import io.remus.cli.ExitCode;
import io.remus.cli.Failure;
import io.remus.cli.output.Table;
import io.remus.cli.output.Terminal;
import io.remus.core.control.DoctorReport;
import io.remus.core.control.DoctorReport.Check;
import io.remus.core.control.DoctorReport.Verdict;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows whether this host can protect VMs. */
@Command(
    name = "doctor",
    header = "Check every prerequisite of this host and say what to do.",
    description = {
      "Exits with 1 when a check failed. The agent does the checks; where it does not even start,"
          + " run `remus-agent doctor` as root."
    },
    footerHeading = "%nExamples:%n",
    footer = {"  remus doctor", "  remus doctor -o json"})
final class DoctorCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin private AgentOptions agent;
  @Mixin private OutputOptions output;

  DoctorCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    DoctorReport report;
    ExitCode exit;
    try {
      report = agent.client().doctor();
      exit = report.worst() == Verdict.FAILED ? ExitCode.FAILED : ExitCode.DONE;
    } catch (Failure failure) {
      if (failure.exit() != ExitCode.UNREACHABLE) {
        throw failure;
      }
      String advice =
          failure.advice() + "; all checks without the agent: remus-agent doctor (root)";
      report =
          new DoctorReport(
              List.of(new Check("agent", Verdict.FAILED, failure.getMessage(), advice)));
      exit = ExitCode.UNREACHABLE;
    }
    DoctorReport shown = report;
    terminal.out().print(output.render(shown, () -> table(shown)));
    return exit.code();
  }

  private static String table(DoctorReport report) {
    Table table = new Table("CHECK", "VERDICT", "FOUND");
    StringBuilder advice = new StringBuilder();
    for (Check check : report.checks()) {
      table.row(check.name(), check.verdict().word(), check.found());
      if (!check.advice().isEmpty()) {
        advice.append(
            "%n%s (%s): %s%n".formatted(check.name(), check.verdict().word(), check.advice()));
      }
    }
    return table.toString() + advice;
  }
}
