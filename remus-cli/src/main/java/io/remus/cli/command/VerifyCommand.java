package io.remus.cli.command;

import io.remus.cli.ExitCode;
import io.remus.cli.Failure;
import io.remus.cli.client.AgentClient;
import io.remus.cli.output.Terminal;
import io.remus.cli.output.VerificationText;
import io.remus.core.control.VerificationProgress;
import io.remus.core.control.VerificationReport;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Compares a VM with its standby. */
@Command(
    name = "verify",
    header = "Prove that the standby equals the VM; on the VM's host.",
    description = {
      "Memory and raw disks of both are compared as they are at the end of one epoch; a disk that"
          + " is not compared is named. The VM runs on and stays protected. Exits with 1 when they"
          + " differ."
    },
    footerHeading = "%nExamples:%n",
    footer = {"  remus verify db1", "  remus verify db1 -o json | jq .equal"})
final class VerifyCommand implements Callable<Integer> {
  private static final long SHOW_MS = 1_000;

  private final Terminal terminal;

  @Mixin private AgentOptions agent;
  @Mixin private OutputOptions output;

  @Parameters(paramLabel = "VM", converter = NameConverter.class, description = "Name of the VM.")
  private String vm;

  VerifyCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws InterruptedException {
    VerificationReport report = verify(agent.client());
    terminal.out().print(output.render(report, () -> VerificationText.of(report)));
    return (report.equal() ? ExitCode.DONE : ExitCode.FAILED).code();
  }

  private VerificationReport verify(AgentClient client) throws InterruptedException {
    CompletableFuture<VerificationReport> report =
        CompletableFuture.supplyAsync(() -> client.verify(vm));
    while (true) {
      try {
        return report.get(SHOW_MS, TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        show(client);
      } catch (ExecutionException e) {
        throw e.getCause() instanceof Failure failure
            ? failure
            : new IllegalStateException(e.getCause());
      }
    }
  }

  /** Beside the result, which a program may read. */
  private void show(AgentClient client) {
    if (!terminal.outIsTerminal()) {
      return;
    }
    try {
      VerificationProgress progress = client.verification(vm);
      terminal
          .err()
          .printf(
              "VM %s: %.0f %% hashed%s%n",
              vm, progress.percent(), progress.standbyHashed() ? ", the standby is through" : "");
    } catch (Failure e) {
      // It has just ended, or not begun: the answer is what counts.
      terminal.err().flush();
    }
  }
}
