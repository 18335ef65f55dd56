package io.remus.core.control;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/** Which of a VM's two copies this host holds. */
public enum VmRole {
  /** The running copy, whose changes are replicated. */
  PRIMARY,
  /** The copy that waits to take over. */
  STANDBY;

  /** The name in JSON and on the screen: {@code primary} or {@code standby}. */
  @JsonValue
  public String word() {
    return Words.of(this);
  }

  @JsonCreator
  static VmRole parse(String word) {
    return Words.parse(VmRole.class, word);
  }
}
