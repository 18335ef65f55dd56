package io.remus.agent.peer;

import io.remus.core.wire.Frame;

/**
 * Hears what happens on one connection. Called on the connection's event loop: it must not block.
 */
public interface FrameListener {

  /**
   * A frame has arrived. The listener owns it and releases it when it is a {@link Frame.Chunk}. Any
   * frame is a sign of life. An exception thrown from here closes the connection and comes back as
   * the cause in {@link #onClosed}.
   */
  void onFrame(Frame frame);

  /** The connection is gone; nothing follows. Called once. */
  void onClosed(PeerException cause);
}
