package io.remus.agent.guest;

/** A VM cannot be used as asked. The message names the VM, the advice says what to do. */
public final class GuestException extends Exception {
  private static final long serialVersionUID = 1L;

  /** What kind of refusal, for programs. */
  public enum Kind {
    UNKNOWN_VM,
    NOT_RUNNING,
    UNPROTECTABLE,
    EXISTS,
    NO_MEMORY,
    NO_BRIDGE,
    MACHINE_TYPE,
    LIBVIRT
  }

  private final Kind kind;
  private final String advice;

  public GuestException(Kind kind, String message, String advice) {
    super(message);
    this.kind = kind;
    this.advice = advice;
  }

  GuestException(String message, Throwable cause) {
    super(message + ": " + cause.getMessage(), cause);
    this.kind = Kind.LIBVIRT;
    this.advice = "see the libvirt log of this host";
  }

  public Kind kind() {
    return kind;
  }

  public String advice() {
    return advice;
  }
}
