package io.remus.cli.output;

/** How a result is printed. */
public enum Format {
  /** For people. */
  TABLE,
  /** For programs, as the control API gives it. */
  JSON,
  /** The same, for people who like it better. */
  YAML
}
