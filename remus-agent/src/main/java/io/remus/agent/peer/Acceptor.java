package io.remus.agent.peer;

/** Takes over a connection whose greeting is done. */
@FunctionalInterface
public interface Acceptor {

  /**
   * Called on the connection's event loop, before any of its frames. It must not block.
   *
   * @return who hears the connection from now on
   */
  FrameListener opened(PeerConnection connection);

  /** The dialled host took the connection; whether an agent answers on it is not known yet. */
  default void reached() {}
}
