package io.remus.cli.command;

import io.remus.cli.ExitCode;
import io.remus.cli.output.HostText;
import io.remus.cli.output.Terminal;
import io.remus.core.control.HostInfo;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Lists this host and its peers. */
@Command(
    name = "list",
    header = "List this host and its peers.",
    description =
        "Peers tell of themselves where etcd is the arbiter; elsewhere only their names are known.",
    footerHeading = "%nExamples:%n",
    footer = {"  remus host list", "  remus host list -o json"})
final class HostListCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin private AgentOptions agent;
  @Mixin private OutputOptions output;

  HostListCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    List<HostInfo> hosts = agent.client().hosts();
    terminal.out().print(output.render(hosts, () -> HostText.of(hosts)));
    return ExitCode.DONE.code();
  }
}
