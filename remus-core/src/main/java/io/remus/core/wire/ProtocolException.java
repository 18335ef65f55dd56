package io.remus.core.wire;

/** The peer sent what the protocol does not allow. The connection is of no more use: close it. */
public final class ProtocolException extends RuntimeException {

  public ProtocolException(String message) {
    super(message);
  }

  public ProtocolException(String message, Throwable cause) {
    super(message, cause);
  }
}
