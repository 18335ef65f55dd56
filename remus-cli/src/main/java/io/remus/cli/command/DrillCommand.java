package io.remus.cli.command;

import io.remus.cli.ExitCode;
import io.remus.cli.Failure;
import io.remus.cli.client.AgentClient;
import io.remus.cli.output.Progress;
import io.remus.cli.output.Terminal;
import io.remus.core.control.DrillRequest;
import io.remus.core.control.DrillState;
import io.remus.core.control.DrillStatus;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Starts a clone of a standby, runs a check against it, and removes it. */
@Command(
    name = "drill",
    header =
        "Try a takeover without one: start a clone of the last committed epoch; on the backup.",
    description = {
      "The clone runs beside the standby, in a network of its own that nothing leads out of; the VM"
          + " stays protected. With --check the drill ends with the check, and the exit code is 0"
          + " when it passed, 1 when it failed. Without, it goes on until --stop, or the end of its"
          + " time."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  remus drill db1 --address 10.77.0.99/24 --check 'curl -fsS http://10.77.0.50/'",
      "  remus drill db1 --address 10.77.0.99/24 --for 1m --check 'until nc -z 10.77.0.50 5432; do sleep 1; done'",
      "  remus drill db1 --address 10.77.0.99/24",
      "  remus drill db1 --stop",
    })
final class DrillCommand implements Callable<Integer> {
  private static final long POLL_MS = 200;
  private static final int USUAL_LIMIT_S = 600;

  private final Terminal terminal;

  @Mixin private AgentOptions agent;
  @Mixin private OutputOptions output;

  @Parameters(
      paramLabel = "VM",
      converter = NameConverter.class,
      description = "Name of a VM that this host stands by for.")
  private String vm;

  @Option(
      names = "--address",
      paramLabel = "ADDRESS/BITS",
      converter = AddressConverter.class,
      description =
          "This host's address in the clone's network; one that the guest's network leaves free.")
  private String address;

  @Option(
      names = "--check",
      paramLabel = "COMMAND",
      description = "A shell command, run in the clone's network as soon as it runs; needs root.")
  private String check;

  @Option(
      names = "--for",
      paramLabel = "TIME",
      converter = LimitConverter.class,
      description =
          "The clone is removed after this time at the latest, 1s to 1440m (default: 10m).")
  private Integer limitSeconds;

  @Option(names = "--stop", description = "End the drill and remove its clone.")
  private boolean stop;

  DrillCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  /** What a drill with a check came to, as a document. */
  record Report(DrillStatus drill, DrillCheck check, boolean passed) {}

  @Override
  public Integer call() throws InterruptedException {
    AgentClient client = agent.client();
    if (stop) {
      stop(client);
      return ExitCode.DONE.code();
    }
    if (check != null) {
      DrillCheck.requireRoot();
    }
    int limit = limitSeconds == null ? USUAL_LIMIT_S : limitSeconds;
    DrillStatus begun = client.startDrill(vm, new DrillRequest(address, limit));
    Thread onInterrupt = new Thread(() -> client.stopDrill(vm), "stop-drill");
    Runtime.getRuntime().addShutdownHook(onInterrupt);
    try {
      DrillStatus running = awaitClone(client, begun);
      return check == null ? show(running) : check(client, running);
    } finally {
      forget(onInterrupt);
    }
  }

  /** The process goes on: nobody interrupted it. */
  private static void forget(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // It was interrupted, and the hook runs.
    }
  }

  private void stop(AgentClient client) {
    if (address != null || check != null || limitSeconds != null) {
      throw new Failure(ExitCode.USAGE, "--stop makes no sense with other options", "");
    }
    client.stopDrill(vm);
    terminal.out().printf("VM %s: drill ended, nothing of it is left%n", vm);
  }

  private DrillStatus awaitClone(AgentClient client, DrillStatus begun)
      throws InterruptedException {
    Progress progress = new Progress(terminal);
    DrillStatus status = begun;
    while (status.state() == DrillState.COPYING) {
      if (output.isTable()) {
        progress.show(status);
      }
      Thread.sleep(POLL_MS);
      status = client.drill(vm);
    }
    if (output.isTable()) {
      progress.end();
    }
    if (status.state() != DrillState.RUNNING) {
      throw new Failure(
          ExitCode.FAILED,
          "the drill of VM %s came to nothing: %s".formatted(vm, status.reason()),
          "");
    }
    return status;
  }

  private int show(DrillStatus running) {
    terminal.out().print(output.render(running, () -> text(running)));
    return ExitCode.DONE.code();
  }

  private static String text(DrillStatus drill) {
    return head(drill)
        + "  network  ip netns exec %s sh%n".formatted(drill.namespace())
        + "  console  virsh console %s%n".formatted(drill.domain())
        + "  screen   virt-viewer --attach %s%n".formatted(drill.domain())
        + "  end      remus drill %s --stop, or by itself at %s%n"
            .formatted(drill.vm(), drill.endsAt());
  }

  private static String head(DrillStatus drill) {
    return "VM %s: epoch %d, the last one at %s, runs as %s%n"
        .formatted(drill.vm(), drill.epoch(), drill.takenAt(), drill.domain());
  }

  private int check(AgentClient client, DrillStatus running) throws InterruptedException {
    if (output.isTable()) {
      terminal.out().print(head(running));
      terminal.out().flush();
    }
    DrillCheck found;
    try {
      found = DrillCheck.run(running.namespace(), check, this::told);
    } finally {
      client.stopDrill(vm);
    }
    DrillStatus last = client.drill(vm);
    boolean passed = found.exit() == 0;
    terminal
        .out()
        .print(output.render(new Report(last, found, passed), () -> verdict(found, last)));
    return (passed ? ExitCode.DONE : ExitCode.FAILED).code();
  }

  private void told(String line) {
    if (output.isTable()) {
      terminal.out().println("  " + line);
      terminal.out().flush();
    }
  }

  private String verdict(DrillCheck found, DrillStatus last) {
    return found.exit() == 0
        ? "VM %s: the check passed in %.2f s; nothing is left of the drill%n"
            .formatted(vm, found.seconds())
        : "VM %s: the check failed with exit status %d after %.2f s; the drill ended: %s%n"
            .formatted(vm, found.exit(), found.seconds(), last.reason());
  }
}
