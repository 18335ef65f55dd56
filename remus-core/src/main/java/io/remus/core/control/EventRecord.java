package io.remus.core.control;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.time.Instant;

/**
 * Something that happened on a host.
 *
 * @param sequence grows by one with every event, over restarts of the agent too; from 1
 * @param time when it happened
 * @param level how bad it is
 * @param vm the VM it happened to; null when it concerns the host
 * @param message what happened, for the sysadmin
 * @param state the state the VM entered; null when it entered none
 */
public record EventRecord(
    long sequence, Instant time, Level level, String vm, String message, VmState state) {

  /** How bad an event is. */
  public enum Level {
    /** Expected, part of normal work. */
    INFO,
    /** Protection is weaker than asked for, or will be. */
    WARNING,
    /** Something failed and needs the sysadmin. */
    ERROR;

    /** The name in JSON and on the screen. */
    @JsonValue
    public String word() {
      return Words.of(this);
    }

    @JsonCreator
    static Level parse(String word) {
      return Words.parse(Level.class, word);
    }
  }
}
