package io.remus.cli.command;

import io.remus.cli.ExitCode;
import io.remus.cli.output.Terminal;
import io.remus.cli.pki.Authority;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes the certificate authority. */
@Command(
    name = "init",
    header = "Make the certificate authority: ca.crt and ca.key, good for ten years.",
    description = {
      "Do this once, on one machine. Who has ca.key can join the hosts: keep it where only root reads"
          + " it, best on a machine that is no hypervisor."
    },
    footerHeading = "%nExamples:%n",
    footer = {"  remus pki init", "  remus pki init --directory /root/remus-pki"})
final class PkiInitCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin private PkiOptions pki;

  @Option(names = "--force", description = "Replace an authority that is there.")
  private boolean force;

  PkiInitCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    Authority authority = pki.authority();
    authority.init(force);
    terminal
        .out()
        .printf(
            "Made %s and its key. Next, for each host: remus pki issue HOST --directory %s%n",
            authority.caCertificate(), authority.caCertificate().getParent());
    return ExitCode.DONE.code();
  }
}
