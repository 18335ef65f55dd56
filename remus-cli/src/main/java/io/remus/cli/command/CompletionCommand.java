package io.remus.cli.command;

import io.remus.cli.ExitCode;
import io.remus.cli.output.Terminal;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Prints what bash needs to complete this command. */
@Command(
    name = "completion",
    header = "Print the completion script for bash.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  source <(remus completion)",
      "  remus completion > /etc/bash_completion.d/remus",
    })
final class CompletionCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Spec private CommandSpec spec;

  CompletionCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    terminal.out().print(AutoComplete.bash("remus", spec.root().commandLine()));
    return ExitCode.DONE.code();
  }
}
