package io.remus.core.control;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/** What an ack says about the disk writes of its epoch. */
public enum DiskDurability {
  /** The backup's kernel has them: they survive the primary, and the backup's agent. */
  MEMORY,
  /** They are on stable storage of the backup: they survive the loss of power on both hosts. */
  JOURNAL;

  /** The name in JSON and on the screen: {@code memory} or {@code journal}. */
  @JsonValue
  public String word() {
    return Words.of(this);
  }

  @JsonCreator
  static DiskDurability parse(String word) {
    return Words.parse(DiskDurability.class, word);
  }
}
