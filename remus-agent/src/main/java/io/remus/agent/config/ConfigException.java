package io.remus.agent.config;

import java.nio.file.Path;
import java.util.List;

/** A configuration that cannot be used; the message lists every problem, one on a line. */
public final class ConfigException extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient List<Problem> problems;

  ConfigException(Path file, List<Problem> problems) {
    super(String.join("\n", problems.stream().map(problem -> problem.describe(file)).toList()));
    this.problems = List.copyOf(problems);
  }

  /** What is wrong, in the order of the file. */
  public List<Problem> problems() {
    return problems;
  }

  /**
   * One thing that is wrong.
   *
   * @param line from 1; 0 when it concerns the whole file
   * @param text the key, what is wrong with it and what is allowed
   */
  public record Problem(int line, String text) {
    String describe(Path file) {
      return line == 0 ? file + ": " + text : file + ":" + line + ": " + text;
    }
  }
}
