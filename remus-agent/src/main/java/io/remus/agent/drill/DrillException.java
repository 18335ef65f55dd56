package io.remus.agent.drill;

/** A drill cannot be had, or came to an end before its clone ran. */
public final class DrillException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String advice;

  /**
   * @param message what happened, with the name of the VM
   * @param advice what to do; empty when there is nothing to say
   */
  public DrillException(String message, String advice) {
    super(message);
    this.advice = advice;
  }

  public String advice() {
    return advice;
  }
}
