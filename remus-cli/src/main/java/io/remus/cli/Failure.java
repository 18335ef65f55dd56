package io.remus.cli;

/**
 * A command that ends without having done its work: what happened, what to do, and how it exits.
 */
public final class Failure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ExitCode exit;
  private final String advice;

  /**
   * Ends a command.
   *
   * @param advice what the sysadmin can do; empty when there is nothing to say
   */
  public Failure(ExitCode exit, String message, String advice) {
    super(message);
    this.exit = exit;
    this.advice = advice;
  }

  public ExitCode exit() {
    return exit;
  }

  public String advice() {
    return advice;
  }
}
