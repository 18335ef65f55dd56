package io.remus.cli.command;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The certificates of the hosts. */
@Command(
    name = "pki",
    header = "Make the certificates by which hosts know each other.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {PkiInitCommand.class, PkiIssueCommand.class, PkiListCommand.class},
    footerHeading = "%nExamples:%n",
    footer = {
      "  remus pki init",
      "  remus pki issue hv1 --address 10.0.0.1",
      "  remus pki list",
    })
final class PkiCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }
}
