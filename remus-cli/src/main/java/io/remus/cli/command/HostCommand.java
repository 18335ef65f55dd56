package io.remus.cli.command;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The hosts, this one and its peers. */
@Command(
    name = "host",
    header = "Show the hosts, and empty this one for its maintenance.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {HostListCommand.class, HostShowCommand.class, HostDrainCommand.class},
    footerHeading = "%nExamples:%n",
    footer = {"  remus host list", "  remus host show hv2", "  remus host drain"})
final class HostCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }
}
