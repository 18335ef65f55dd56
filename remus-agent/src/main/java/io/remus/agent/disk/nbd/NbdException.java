package io.remus.agent.disk.nbd;

/** The client sent what the protocol does not allow. The connection is of no more use: close it. */
final class NbdException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  NbdException(String message) {
    super(message);
  }
}
