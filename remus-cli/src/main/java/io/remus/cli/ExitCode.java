package io.remus.cli;

/** How the {@code remus} command exits; scripts rely on it. */
public enum ExitCode {
  DONE(0, "done"),
  FAILED(1, "failed: it was tried and went wrong"),
  USAGE(2, "usage: the command line makes no sense"),
  REFUSED(3, "refused: the agent says why"),
  UNREACHABLE(4, "agent unreachable: it does not run, or no permission on its socket");

  private final int code;
  private final String meaning;

  ExitCode(int code, String meaning) {
    this.code = code;
    this.meaning = meaning;
  }

  public int code() {
    return code;
  }

  /** What it means, for help and manual. */
  public String meaning() {
    return meaning;
  }
}
