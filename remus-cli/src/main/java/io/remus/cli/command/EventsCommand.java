package io.remus.cli.command;

import io.remus.cli.ExitCode;
import io.remus.cli.Failure;
import io.remus.cli.output.Terminal;
import io.remus.core.control.ControlJson;
import io.remus.core.control.EventRecord;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows what happened. */
@Command(
    name = "events",
    header = "Show what happened on this host.",
    footerHeading = "%nExamples:%n",
    footer = {"  remus events", "  remus events --follow", "  remus events --since 120 -o json"})
final class EventsCommand implements Callable<Integer> {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS").withZone(ZoneId.systemDefault());

  private final Terminal terminal;

  @Mixin private AgentOptions agent;

  @Option(names = "--follow", description = "Go on with the events to come, until interrupted.")
  private boolean follow;

  @Option(
      names = "--since",
      paramLabel = "NUMBER",
      defaultValue = "0",
      description = "Only events with a larger sequence number.")
  private long since;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "table, or json for one object on a line (default: ${DEFAULT-VALUE}).")
  private EventFormat format;

  EventsCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  /** Events are a stream, so a line each is what programs can read. */
  enum EventFormat {
    TABLE,
    JSON
  }

  @Override
  public Integer call() {
    agent.client().events(since, follow, this::print);
    if (follow) {
      throw new Failure(
          ExitCode.UNREACHABLE,
          "the agent ended the events",
          "See whether it still runs: systemctl status remus-agent");
    }
    return ExitCode.DONE.code();
  }

  private void print(EventRecord event) {
    terminal.out().println(format == EventFormat.JSON ? ControlJson.line(event) : text(event));
    if (follow) {
      terminal.out().flush();
    }
  }

  private static String text(EventRecord event) {
    String vm = event.vm() == null ? "-" : event.vm();
    String state = event.state() == null ? "" : "[" + event.state().word() + "] ";
    return "%s  %-7s  %-12s  %s%s"
        .formatted(TIME.format(event.time()), event.level().word(), vm, state, event.message());
  }
}
