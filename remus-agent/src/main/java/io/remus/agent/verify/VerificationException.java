package io.remus.agent.verify;

/** A comparison came to no result; the protection is what it was. */
public final class VerificationException extends Exception {
  private static final long serialVersionUID = 1L;

  VerificationException(String message) {
    super(message);
  }
}
