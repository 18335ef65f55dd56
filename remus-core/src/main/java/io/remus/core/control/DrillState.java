package io.remus.core.control;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/** Where a drill stands, each with a sentence for the sysadmin. */
public enum DrillState {
  COPYING("Disks and memory of the standby are being copied while epochs go on."),
  RUNNING("The clone runs in its own network."),
  ENDING("The clone is being removed."),
  ENDED("Nothing of the clone is left.");

  private final String sentence;

  DrillState(String sentence) {
    this.sentence = sentence;
  }

  /** What the state means, in one sentence. */
  public String sentence() {
    return sentence;
  }

  /** The name in JSON and on the screen, such as {@code running}. */
  @JsonValue
  public String word() {
    return Words.of(this);
  }

  @JsonCreator
  static DrillState parse(String word) {
    return Words.parse(DrillState.class, word);
  }
}
