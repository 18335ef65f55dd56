package io.remus.cli.command;

import io.remus.cli.ExitCode;
import io.remus.cli.output.Table;
import io.remus.cli.output.Terminal;
import io.remus.cli.pki.Issued;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows the certificates that were made. */
@Command(
    name = "list",
    header = "Show the certificates that were made and when they expire.",
    footerHeading = "%nExamples:%n",
    footer = {"  remus pki list", "  remus pki list -o json"})
final class PkiListCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin private PkiOptions pki;
  @Mixin private OutputOptions output;

  PkiListCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    List<Issued> all = pki.authority().list();
    terminal.out().print(output.render(all, () -> table(all)));
    return ExitCode.DONE.code();
  }

  private static String table(List<Issued> all) {
    Table table = new Table("NAME", "GOOD FOR", "EXPIRES", "DAYS LEFT", "FILE");
    for (Issued issued : all) {
      table.row(
          issued.name(),
          String.join(", ", issued.names()),
          issued.expires().toString(),
          String.valueOf(Duration.between(Instant.now(), issued.expires()).toDays()),
          issued.file().toString());
    }
    return table.toString();
  }
}
