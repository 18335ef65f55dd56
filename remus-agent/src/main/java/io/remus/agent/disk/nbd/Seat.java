package io.remus.agent.disk.nbd;

import io.netty.channel.Channel;

/**
 * The one client that may write. There is a server's one event loop for the channels, so nobody can
 * sit down between the question and the answer.
 */
final class Seat {
  private final Runnable clientGone;
  private NbdConnection taken;

  /**
   * A free seat.
   *
   * @param clientGone told whenever the one who sat there has gone, or was refused a request
   */
  Seat(Runnable clientGone) {
    this.clientGone = clientGone;
  }

  boolean isFree() {
    return taken == null;
  }

  void take(NbdConnection connection, Channel channel) {
    if (taken != null) {
      throw new IllegalStateException("there is a client already");
    }
    taken = connection;
    channel
        .closeFuture()
        .addListener(
            closed -> {
              taken = null;
              clientGone.run();
            });
  }

  /** The client got an error. */
  void refused() {
    clientGone.run();
  }

  /** Tells the client, if there is one, that the server ends. */
  void clear() {
    if (taken != null) {
      taken.shutDown();
    }
  }
}
