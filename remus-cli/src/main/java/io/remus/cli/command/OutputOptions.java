package io.remus.cli.command;

import io.remus.cli.output.Documents;
import io.remus.cli.output.Format;
import java.util.function.Supplier;
import picocli.CommandLine.Option;

/** How a command prints its result. */
final class OutputOptions {
  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "table, json or yaml (default: ${DEFAULT-VALUE}).")
  private Format format;

  /** Whether people read it: then what happens may be told while it happens. */
  boolean isTable() {
    return format == Format.TABLE;
  }

  /** The result in the format asked for; the table is only made when it is wanted. */
  String render(Object document, Supplier<String> table) {
    return switch (format) {
      case TABLE -> table.get();
      case JSON -> Documents.json(document);
      case YAML -> Documents.yaml(document);
    };
  }
}
