package io.remus.cli.command;

import io.remus.cli.ExitCode;
import io.remus.cli.Failure;
import io.remus.cli.output.Table;
import io.remus.cli.output.Terminal;
import io.remus.core.control.Copies;
import io.remus.core.control.Copies.Copy;
import io.remus.core.control.RecoverRequest;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows what is left of a VM after the loss of both its hosts, and starts it from that. */
@Command(
    name = "recover",
    header = "Start a VM from its disks after both its hosts were lost; without --from, list them.",
    description = {
      "The guest boots as after a loss of power: what was in its memory is gone. The primary's own"
          + " disks have every write, a replica those up to its last committed epoch. The copy must"
          + " be on this host."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  remus recover db1",
      "  remus recover db1 --from primary",
      "  remus recover db1 --from replica --force",
    })
final class RecoverCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin private AgentOptions agent;
  @Mixin private OutputOptions output;

  @Parameters(paramLabel = "VM", converter = NameConverter.class, description = "Name of the VM.")
  private String vm;

  @Option(
      names = "--from",
      paramLabel = "COPY",
      description = "primary: the VM's own disks on this host; replica: this host's copy of them.")
  private Copies.Source from;

  @Option(
      names = "--force",
      description = "Also when another host may have a newer copy, which is then lost.")
  private boolean force;

  RecoverCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    if (from == null && force) {
      throw new Failure(ExitCode.USAGE, "--force makes no sense without --from", "");
    }
    Copies copies =
        from == null
            ? agent.client().copies(vm)
            : agent.client().recover(vm, new RecoverRequest(from, force));
    terminal.out().print(output.render(copies, () -> table(copies)));
    return ExitCode.DONE.code();
  }

  private static String table(Copies copies) {
    Table table = new Table("HOST", "COPY", "TERM", "EPOCH", "COMMITTED", "REMARK");
    for (Copy copy : copies.copies()) {
      table.row(
          copy.host(),
          copy.source() == null ? "-" : copy.source().word(),
          String.valueOf(copy.term()),
          copy.epoch() == null ? "-" : copy.epoch().toString(),
          copy.at() == null ? "-" : copy.at().toString(),
          copy.remark());
    }
    return table.toString();
  }
}
