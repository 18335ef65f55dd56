package io.remus.core.control;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.List;

/** Every prerequisite of this host with a verdict and what to do about it. */
public record DoctorReport(List<Check> checks) {
  public DoctorReport {
    checks = List.copyOf(checks);
  }

  /** The worst verdict of all checks; ok when there are none. */
  public Verdict worst() {
    Verdict worst = Verdict.OK;
    for (Check check : checks) {
      if (check.verdict().compareTo(worst) > 0) {
        worst = check.verdict();
      }
    }
    return worst;
  }

  /**
   * One prerequisite.
   *
   * @param name what was looked at
   * @param verdict whether it will do
   * @param found what there is on this host
   * @param advice what to do about it; empty when nothing needs to be done
   */
  public record Check(String name, Verdict verdict, String found, String advice) {}

  /** From good to bad. */
  public enum Verdict {
    /** Nothing to do. */
    OK,
    /** Protection works, but slower or weaker. */
    WARNING,
    /** Protection does not work on this host. */
    FAILED;

    /** The name in JSON and on the screen. */
    @JsonValue
    public String word() {
      return Words.of(this);
    }

    @JsonCreator
    static Verdict parse(String word) {
      return Words.parse(Verdict.class, word);
    }
  }
}
