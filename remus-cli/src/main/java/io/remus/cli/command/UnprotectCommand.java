package io.remus.cli.command;

import io.remus.cli.ExitCode;
import io.remus.cli.output.Terminal;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Ends a VM's protection. */
@Command(
    name = "unprotect",
    header = "End a VM's protection; the guest runs on.",
    footerHeading = "%nExamples:%n",
    footer = {"  remus unprotect db1", "  remus unprotect db1 --force"})
final class UnprotectCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin private AgentOptions agent;

  @Parameters(paramLabel = "VM", converter = NameConverter.class, description = "Name of the VM.")
  private String vm;

  @Option(names = "--force", description = "Also when the backup cannot be told.")
  private boolean force;

  UnprotectCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    agent.client().unprotect(vm, force);
    terminal.out().printf("VM %s is no longer protected and runs on%n", vm);
    return ExitCode.DONE.code();
  }
}
