package io.remus.core.control;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/**
 * The states of a protected VM, each with the one sentence that status, events and the manual show.
 *
 * <p>A primary goes {@code connecting -> syncing -> protected}, and leaves by {@code unprotected},
 * {@code stopping}, {@code switching} or {@code fenced}; a standby goes {@code preparing -> syncing
 * -> standby -> suspect -> claiming -> activating -> active}.
 */
public enum VmState {
  CONNECTING("The primary is reaching the backup and agreeing on the VM; the guest runs."),
  SYNCING("Memory is being copied while the guest runs; a failover is not possible yet."),
  PROTECTED("Every epoch is acked by the backup before its output is released."),
  UNPROTECTED("The guest runs without a backup; the loss of this host would lose it."),
  STOPPING("Protection is ending; held output is being released in order."),
  SWITCHING("The guest is being moved to its backup; it stands still for a moment."),
  FENCED(
      "Output is held until it is known whether the peer runs a newer copy; if so, this one is destroyed."),
  PREPARING("The backup is starting the waiting copy of the VM."),
  STANDBY("The last committed epoch is in place and can be activated at any moment."),
  SUSPECT("The primary has been silent for longer than it may; its loss is being confirmed."),
  CLAIMING("The backup wants the VM; it waits for the primary or the arbiter to agree."),
  ACTIVATING("The backup is starting the guest from the last committed epoch."),
  ACTIVE("The guest runs here since the failover.");

  private final String sentence;

  VmState(String sentence) {
    this.sentence = sentence;
  }

  /** What the state means for the guest, in one sentence. */
  public String sentence() {
    return sentence;
  }

  /** The name in JSON, events and on the screen, such as {@code protected}. */
  @JsonValue
  public String word() {
    return Words.of(this);
  }

  @JsonCreator
  static VmState parse(String word) {
    return Words.parse(VmState.class, word);
  }
}
