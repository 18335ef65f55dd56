package io.remus.cli.command;

import io.netty.util.NetUtil;
import io.remus.cli.ExitCode;
import io.remus.cli.output.Terminal;
import io.remus.cli.pki.Authority;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Makes a host's certificate. */
@Command(
    name = "issue",
    header = "Make a host's key and certificate, and say what to copy where.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  remus pki issue hv1",
      "  remus pki issue hv2 --address 10.0.0.2 --address fd00::2 --days 365",
    })
final class PkiIssueCommand implements Callable<Integer> {
  private static final int MAX_DAYS = 3_650;

  private final Terminal terminal;

  @Spec private CommandSpec spec;
  @Mixin private PkiOptions pki;

  @Parameters(
      paramLabel = "HOST",
      description = "Name of the host, as its peers' configuration calls it.")
  private String host;

  @Option(
      names = "--address",
      paramLabel = "IP",
      description = "An address of the host; may be given several times.")
  private List<String> addresses = List.of();

  @Option(
      names = "--days",
      paramLabel = "DAYS",
      defaultValue = "825",
      description = "Validity, 1 to 3650 (default: ${DEFAULT-VALUE}).")
  private int days;

  @Option(names = "--force", description = "Replace files that are there.")
  private boolean force;

  PkiIssueCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    refuseNonsense();
    Authority authority = pki.authority();
    authority.issue(host, addresses, days, force);
    terminal
        .out()
        .printf(
            "Made a certificate for %s. Copy to that host, readable by root only:%n"
                + "  %s -> /etc/remus/pki/ca.crt%n"
                + "  %s -> /etc/remus/pki/host.crt%n"
                + "  %s -> /etc/remus/pki/host.key%n"
                + "then: systemctl restart remus-agent%n",
            host, authority.caCertificate(), authority.certificate(host), authority.key(host));
    return ExitCode.DONE.code();
  }

  private void refuseNonsense() {
    // The name becomes a file name and a DNS name.
    if (!host.matches("[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?") || host.equals("ca")) {
      refuse("\"" + host + "\" is no host name: letters, digits, dots and hyphens, and not ca");
    }
    for (String address : addresses) {
      if (!NetUtil.isValidIpV4Address(address) && !NetUtil.isValidIpV6Address(address)) {
        refuse("--address: \"" + address + "\" is no IP address");
      }
    }
    if (days < 1 || days > MAX_DAYS) {
      refuse("--days: " + days + " is out of range, allowed are 1 to " + MAX_DAYS);
    }
  }

  private void refuse(String message) {
    throw new ParameterException(spec.commandLine(), message);
  }
}
