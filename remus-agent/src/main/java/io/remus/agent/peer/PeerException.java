package io.remus.agent.peer;

import java.io.IOException;

/**
 * A connection to another agent failed. The message is for the sysadmin, the reason for the
 * program.
 */
public final class PeerException extends IOException {

  /** Why, as far as it can be told apart. */
  public enum Reason {
    /** A key or certificate of this host is missing, unreadable or wrong. */
    TLS_FILES,
    /** The port to listen on cannot be had. */
    LISTEN,
    /** The peer's address does not resolve. */
    UNKNOWN_ADDRESS,
    /** The peer's host is up, nothing listens on the port. */
    CONNECTION_REFUSED,
    /** No network path to the peer. */
    NO_ROUTE,
    /** The peer did not answer in time. */
    TIMEOUT,
    /** One side does not trust the other's certificate. */
    NOT_TRUSTED,
    /** The certificate is good and belongs to another host. */
    WRONG_NAME,
    /** No protocol version in common. */
    VERSION,
    /** The peer answered, and refused. */
    REFUSED,
    /** The peer broke the protocol, or is no agent at all. */
    PROTOCOL,
    /** The connection was there and is gone. */
    CLOSED
  }

  private final Reason reason;

  public PeerException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public PeerException(Reason reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
