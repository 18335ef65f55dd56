package io.remus.cli.command;

import io.remus.cli.ExitCode;
import io.remus.cli.Failure;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * A command that is run in a clone's network namespace (ip-netns(8)), by this process and so with
 * the rights of whoever called it: the agent runs nothing for anybody.
 *
 * @param exit the command's exit status; 0 is a passed check
 * @param output what it printed, errors among it
 */
record DrillCheck(String command, int exit, String output, double seconds) {

  /** Refuses whoever cannot enter a namespace. */
  static void requireRoot() {
    try {
      if (Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0)) {
        return;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    throw new Failure(
        ExitCode.USAGE,
        "a check runs in the clone's network, which only root can enter",
        "Run the command as root, or leave out --check.");
  }

  /**
   * Runs a command until it ends; the agent ends it, at the latest, with the drill.
   *
   * @param lines told of each line that it prints
   */
  static DrillCheck run(String namespace, String command, Consumer<String> lines)
      throws InterruptedException {
    long startNs = System.nanoTime();
    StringBuilder output = new StringBuilder();
    try {
      Process process =
          new ProcessBuilder("ip", "netns", "exec", namespace, "/bin/sh", "-c", command)
              .redirectErrorStream(true)
              .start();
      process.getOutputStream().close();
      try (BufferedReader reader = process.inputReader()) {
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
          output.append(line).append('\n');
          lines.accept(line);
        }
      }
      int exit = process.waitFor();
      double seconds = Math.round((System.nanoTime() - startNs) / 1e7) / 100.0;
      return new DrillCheck(command, exit, output.toString(), seconds);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
