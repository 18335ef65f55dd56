package io.remus.cli.command;

import io.remus.cli.ExitCode;
import io.remus.cli.Failure;
import io.remus.cli.output.Terminal;
import io.remus.core.control.VmState;
import io.remus.core.control.VmStatus;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes this host take a VM over. */
@Command(
    name = "failover",
    header = "Make the backup take the VM over now; on either host.",
    description = {
      "The guest goes on from the last committed epoch. Whatever its old copy did after that is lost,"
          + " and that copy must never run again: make sure its host is off or cut off."
    },
    footerHeading = "%nExamples:%n",
    footer = {"  remus failover db1", "  remus failover db1 --yes"})
final class FailoverCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin private AgentOptions agent;

  @Parameters(paramLabel = "VM", converter = NameConverter.class, description = "Name of the VM.")
  private String vm;

  @Option(names = "--yes", description = "Do not ask.")
  private boolean yes;

  FailoverCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    if (!yes && !confirmed()) {
      throw new Failure(ExitCode.FAILED, "VM " + vm + " was not failed over", "");
    }
    VmStatus status = agent.client().failover(vm);
    boolean here = status.state() == VmState.ACTIVE;
    terminal
        .out()
        .printf("VM %s: %s%n", vm, here ? "active here" : "handed over to " + status.peer());
    return ExitCode.DONE.code();
  }

  private boolean confirmed() {
    if (!terminal.inIsTerminal()) {
      throw new Failure(
          ExitCode.USAGE,
          "VM " + vm + " was not failed over: there is no terminal to ask on",
          "Add --yes when you are sure that its old host is off or cut off.");
    }
    return terminal.confirms("Take VM " + vm + " over on this host? Its old copy must be dead.");
  }
}
