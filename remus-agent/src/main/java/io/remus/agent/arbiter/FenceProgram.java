package io.remus.agent.arbiter;

import io.remus.agent.config.AgentConfig.Fence;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Runs a program that speaks the API of ClusterLabs' fence-agents: options as lines {@code
 * key=value} on its standard input, an exit status, words for people on standard error. No option
 * is ever on a command line, where every user of the host could read it.
 */
final class FenceProgram {
  /** A device that takes longer will not do. */
  static final Duration LIMIT = Duration.ofSeconds(60);

  private final Fence fence;
  private final Duration limit;

  FenceProgram(Fence fence) {
    this(fence, LIMIT);
  }

  FenceProgram(Fence fence, Duration limit) {
    this.fence = fence;
    this.limit = limit;
  }

  /**
   * What a run came to.
   *
   * @param exitStatus the program's own
   * @param lastLine the last it said on standard error, without passwords; may be empty
   */
  record Result(int exitStatus, String lastLine) {}

  /** Whether a host has power. */
  enum Power {
    ON,
    OFF
  }

  /**
   * Powers the host off.
   *
   * @throws IOException saying why it may still have power
   */
  void off() throws IOException {
    Result result = run("off");
    if (result.exitStatus() != 0) {
      throw failed("off", result);
    }
  }

  /**
   * Asks the device, not the host.
   *
   * @throws IOException when it does not say
   */
  Power status() throws IOException {
    Result result = run("status");
    return switch (result.exitStatus()) {
      case 0 -> Power.ON;
      case 2 -> Power.OFF;
      default -> throw failed("status", result);
    };
  }

  private IOException failed(String action, Result result) {
    String said = result.lastLine().isEmpty() ? "it said nothing" : result.lastLine();
    return new IOException(
        "%s, action %s, ended with exit status %d: %s"
            .formatted(fence.agent(), action, result.exitStatus(), said));
  }

  private Result run(String action) throws IOException {
    Path errors = Files.createTempFile("remus-fence", ".err");
    try {
      Process process =
          new ProcessBuilder(List.of(fence.agent()))
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(errors.toFile())
              .start();
      try {
        boolean told = tell(process, action);
        if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
          throw new IOException(
              "%s, action %s, did not end within %d s and was killed"
                  .formatted(fence.agent(), action, limit.toSeconds()));
        }
        Result result = new Result(process.exitValue(), lastLine(errors));
        if (!told) {
          throw failed(action + " (it did not read its options)", result);
        }
        return result;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException(fence.agent() + " was interrupted: the agent stops", e);
      } finally {
        // What it started (ipmitool, ssh) goes with it.
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
    } finally {
      Files.delete(errors);
    }
  }

  /** False when the program has closed its standard input before it was told everything. */
  private boolean tell(Process process, String action) {
    StringBuilder options = new StringBuilder("action=").append(action).append('\n');
    new TreeMap<>(fence.options())
        .forEach((key, value) -> options.append(key).append('=').append(value).append('\n'));
    try (OutputStream in = process.getOutputStream()) {
      in.write(options.toString().getBytes(StandardCharsets.UTF_8));
      return true;
    } catch (IOException brokenPipe) {
      return false;
    }
  }

  private String lastLine(Path errors) throws IOException {
    String last =
        new String(Files.readAllBytes(errors), StandardCharsets.UTF_8)
            .lines()
            .filter(line -> !line.isBlank())
            .reduce("", (before, line) -> line)
            .strip();
    for (Map.Entry<String, String> option : fence.options().entrySet()) {
      if (isSecret(option.getKey()) && !option.getValue().isEmpty()) {
        last = last.replace(option.getValue(), "***");
      }
    }
    return last;
  }

  private static boolean isSecret(String option) {
    return option.toLowerCase(Locale.ROOT).matches(".*(passw|secret|token|community|key).*");
  }
}
