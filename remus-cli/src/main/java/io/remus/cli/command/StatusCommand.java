package io.remus.cli.command;

import io.remus.cli.ExitCode;
import io.remus.cli.client.AgentClient;
import io.remus.cli.output.StatusText;
import io.remus.cli.output.Terminal;
import io.remus.core.control.VmStatus;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows one VM or all. */
@Command(
    name = "status",
    header = "Show the VMs this host protects or stands by for.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  remus status",
      "  remus status db1 --watch",
      "  remus status db1 -o json | jq .figures.pause_ms",
    })
final class StatusCommand implements Callable<Integer> {
  private static final long REFRESH_MS = 1_000;

  private final Terminal terminal;

  @Mixin private AgentOptions agent;
  @Mixin private OutputOptions output;

  @Parameters(
      paramLabel = "VM",
      converter = NameConverter.class,
      arity = "0..1",
      description = "Name of the VM (default: all).")
  private String vm;

  @Option(names = "--watch", description = "Show it again every second, until interrupted.")
  private boolean watch;

  StatusCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws InterruptedException {
    AgentClient client = agent.client();
    String text = render(client);
    terminal.out().print(text);
    while (watch) {
      terminal.out().flush();
      Thread.sleep(REFRESH_MS);
      text = render(client);
      if (terminal.outIsTerminal()) {
        terminal.clear();
      }
      terminal.out().print(text);
      // A reader that has gone away ends the watch.
      if (terminal.out().checkError()) {
        break;
      }
    }
    return ExitCode.DONE.code();
  }

  private String render(AgentClient client) {
    if (vm != null) {
      VmStatus status = client.vm(vm);
      return output.render(status, () -> StatusText.of(status, Instant.now()));
    }
    List<VmStatus> all = client.vms();
    return output.render(all, () -> StatusText.of(all, Instant.now()));
  }
}
