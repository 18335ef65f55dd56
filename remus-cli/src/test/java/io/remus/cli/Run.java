package io.remus.cli;

import io.remus.cli.output.Terminal;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;

/** One run of the command, in this process, on a terminal that remembers. */
record Run(int exit, String out, String err) {
  static Run of(String... args) {
    return on(false, "", args);
  }

  /** With a person at the terminal who answers {@code typed}. */
  static Run atTerminal(String typed, String... args) {
    return on(true, typed, args);
  }

  /** For a run that does not end by itself; returns how it exited. */
  static int writingTo(ByteArrayOutputStream out, String... args) {
    return run(out, new ByteArrayOutputStream(), false, "", args);
  }

  private static Run on(boolean terminal, String typed, String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int exit = run(out, err, terminal, typed, args);
    return new Run(
        exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  private static int run(
      ByteArrayOutputStream out,
      ByteArrayOutputStream err,
      boolean terminal,
      String typed,
      String... args) {
    return Main.run(
        new Terminal(
            new BufferedReader(new StringReader(typed)),
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            terminal,
            terminal),
        args);
  }
}
