package io.remus.agent.peer;

import io.netty.channel.DefaultMessageSizeEstimator;
import io.netty.channel.MessageSizeEstimator;
import io.remus.core.wire.Frame;

/**
 * Makes a chunk that waits to be written count as what it is, so that the channel knows when it is
 * full.
 */
final class FrameSizes implements MessageSizeEstimator {

  private static final int SMALL_FRAME = 64;

  private final Handle others = DefaultMessageSizeEstimator.DEFAULT.newHandle();

  @Override
  public Handle newHandle() {
    return this::size;
  }

  private int size(Object message) {
    if (message instanceof Frame.Chunk chunk) {
      return chunk.bytes();
    }
    return message instanceof Frame ? SMALL_FRAME : others.size(message);
  }
}
