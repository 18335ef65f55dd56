package io.remus.cli.command;

import io.remus.cli.ExitCode;
import io.remus.cli.output.Terminal;
import io.remus.core.control.Switchover;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Moves a protected VM to its backup in order. */
@Command(
    name = "switchover",
    header = "Move a protected VM to its backup in order; on the host that runs it.",
    description = {
      "The guest stops at the end of an epoch and goes on from there on the backup: nothing that it"
          + " did or said is lost, and its connections stay. When the backup fails meanwhile, the"
          + " guest runs on here. Unlike a failover this needs both hosts alive."
    },
    footerHeading = "%nExamples:%n",
    footer = {"  remus switchover db1", "  remus switchover db1 -o json"})
final class SwitchoverCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin private AgentOptions agent;
  @Mixin private OutputOptions output;

  @Parameters(paramLabel = "VM", converter = NameConverter.class, description = "Name of the VM.")
  private String vm;

  SwitchoverCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    terminal.err().printf("VM %s: moving to its backup%n", vm);
    Switchover done = agent.client().switchover(vm);
    terminal.out().print(output.render(done, () -> text(done)));
    return ExitCode.DONE.code();
  }

  private static String text(Switchover done) {
    return """
        VM %s: runs on %s since the end of epoch %d; it ran nowhere for %.1f ms
               (stop %.1f ms, ack %.1f ms, hand-over %.1f ms, activation %.1f ms)
        """
        .formatted(
            done.vm(),
            done.host(),
            done.epoch(),
            done.outageMs(),
            done.stopMs(),
            done.ackMs(),
            done.handOverMs(),
            done.activateMs());
  }
}
