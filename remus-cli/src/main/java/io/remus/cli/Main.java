package io.remus.cli;

import io.remus.cli.command.RemusCommand;
import io.remus.cli.output.Terminal;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;

/** The process: standard streams in, exit code out. */
public final class Main {
  private Main() {}

  /** Runs one command. */
  public static void main(String[] args) {
    System.exit(run(Terminal.standard(), args));
  }

  /** Runs one command on any terminal and returns its exit code. */
  public static int run(Terminal terminal, String... args) {
    CommandLine command = RemusCommand.on(terminal);
    command.setExecutionExceptionHandler((failure, where, parsed) -> report(terminal, failure));
    command.setOut(new PrintWriter(terminal.out(), true, StandardCharsets.UTF_8));
    command.setErr(new PrintWriter(terminal.err(), true, StandardCharsets.UTF_8));
    int exit = command.execute(args);
    terminal.out().flush();
    return exit;
  }

  /** The only place where a failure becomes words and an exit code. */
  private static int report(Terminal terminal, Exception failure) throws Exception {
    if (failure instanceof Failure known) {
      terminal.out().flush();
      terminal.err().println("remus: " + known.getMessage());
      if (!known.advice().isEmpty()) {
        terminal.err().println("       " + known.advice());
      }
      return known.exit().code();
    }
    if (failure instanceof UncheckedIOException io) {
      terminal.err().println("remus: " + io.getCause());
      return ExitCode.FAILED.code();
    }
    throw failure;
  }
}
