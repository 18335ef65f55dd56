package io.remus.agent.etcd;

import java.io.IOException;

/** etcd could not be asked, or said no; the message tells which of its members what happened to. */
public final class EtcdException extends IOException {
  private static final long serialVersionUID = 1L;

  private final boolean mayHaveTakenEffect;

  EtcdException(String message, boolean mayHaveTakenEffect) {
    super(message);
    this.mayHaveTakenEffect = mayHaveTakenEffect;
  }

  /** Whether a member may have done what it was asked, without saying so. */
  public boolean mayHaveTakenEffect() {
    return mayHaveTakenEffect;
  }
}
