package io.remus.agent.control;

import io.remus.core.control.ErrorReply;

/** A request that the agent understood and does not do, with the reason and what to do about it. */
public final class RefusedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final boolean missing;
  private final transient ErrorReply reply;

  private RefusedException(boolean missing, ErrorReply reply) {
    super(reply.message());
    this.missing = missing;
    this.reply = reply;
  }

  /**
   * The state of things forbids it (409).
   *
   * @param code a stable name for programs, such as {@code already-protected}
   * @param message what is the matter, with the name of the VM
   * @param advice what to do; empty when there is nothing to say
   */
  public static RefusedException conflict(String code, String message, String advice) {
    return new RefusedException(false, new ErrorReply(code, message, advice));
  }

  /** What it is about does not exist (404). */
  public static RefusedException missing(String code, String message, String advice) {
    return new RefusedException(true, new ErrorReply(code, message, advice));
  }

  /** This host has nothing to do with the VM (404). */
  public static RefusedException unknownVm(String name) {
    return missing(
        "unknown-vm",
        "VM " + name + " is neither protected by nor standing by on this host",
        "See `remus status` for the VMs this host knows and `virsh list --all` for all it has.");
  }

  /** This host has no drill of the VM (404). */
  public static RefusedException noDrill(String name) {
    return missing(
        "no-drill", "there is no drill of VM " + name + " here", "Start one: remus drill " + name);
  }

  /** Whether it was refused because something does not exist: trying again does not help. */
  public boolean isMissing() {
    return missing;
  }

  ErrorReply reply() {
    return reply;
  }
}
