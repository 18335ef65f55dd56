package io.remus.cli.command;

import io.remus.cli.pki.Authority;
import java.nio.file.Path;
import java.time.Instant;
import picocli.CommandLine.Option;

/** Where the certificate authority is kept. */
final class PkiOptions {
  @Option(
      names = "--directory",
      paramLabel = "DIR",
      defaultValue = "/etc/remus/pki",
      description = "Where the authority is kept (default: ${DEFAULT-VALUE}).")
  private Path directory;

  Authority authority() {
    return new Authority(directory, Instant.now());
  }
}
