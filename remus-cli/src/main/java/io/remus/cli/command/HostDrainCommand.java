package io.remus.cli.command;

import io.remus.cli.ExitCode;
import io.remus.cli.output.HostText;
import io.remus.cli.output.Terminal;
import io.remus.core.control.Drain;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Empties this host. */
@Command(
    name = "drain",
    header = "Move every VM of this host to its backup, for maintenance.",
    description = {
      "VMs that run here are switched over, one after the other; nothing is lost. Hosts that have"
          + " their standbys here look for another one. This host takes no standby until its agent"
          + " is started again, or --undo.",
      "Exits with 1 when a VM is left that has no backup to go to; it is named."
    },
    footerHeading = "%nExamples:%n",
    footer = {"  remus host drain", "  remus host drain --undo"})
final class HostDrainCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin private AgentOptions agent;
  @Mixin private OutputOptions output;

  @Option(names = "--undo", description = "Take standbys again; VMs that were moved stay there.")
  private boolean undo;

  HostDrainCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    if (undo) {
      agent.client().endDrain();
      terminal.out().println("this host takes standbys again");
      return ExitCode.DONE.code();
    }
    Drain drain = agent.client().drain();
    terminal.out().print(output.render(drain, () -> HostText.of(drain)));
    return (drain.left().isEmpty() ? ExitCode.DONE : ExitCode.FAILED).code();
  }
}
