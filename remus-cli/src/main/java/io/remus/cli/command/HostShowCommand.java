package io.remus.cli.command;

import io.remus.cli.ExitCode;
import io.remus.cli.Failure;
import io.remus.cli.output.HostText;
import io.remus.cli.output.Terminal;
import io.remus.core.control.HostInfo;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Shows all that is known of one host. */
@Command(
    name = "show",
    header = "Show all that is known of one host.",
    footerHeading = "%nExamples:%n",
    footer = {"  remus host show hv2", "  remus host show hv2 -o json"})
final class HostShowCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin private AgentOptions agent;
  @Mixin private OutputOptions output;

  @Parameters(
      paramLabel = "HOST",
      converter = NameConverter.class,
      description = "Name of the host, as in the configuration.")
  private String name;

  HostShowCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    HostInfo host =
        agent.client().hosts().stream()
            .filter(known -> known.host().equals(name))
            .findFirst()
            .orElseThrow(
                () ->
                    new Failure(
                        ExitCode.REFUSED,
                        "there is no host '%s'".formatted(name),
                        "See `remus host list`; hosts are added as [peers] in the configuration."));
    terminal.out().print(output.render(host, () -> HostText.of(host)));
    return ExitCode.DONE.code();
  }
}
