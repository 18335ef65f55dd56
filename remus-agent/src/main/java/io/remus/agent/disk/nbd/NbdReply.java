package io.remus.agent.disk.nbd;

import io.netty.buffer.ByteBuf;
import java.util.List;

/** What the client is answered. */
sealed interface NbdReply {
  /** What the client knows the request by. */
  long cookie();

  /** It is done. */
  record Done(long cookie) implements NbdReply {}

  /** It is not done. */
  record Failed(long cookie, NbdError error) implements NbdReply {}

  /**
   * What was read.
   *
   * @param data goes over to the encoder
   */
  record Data(long cookie, long offset, ByteBuf data) implements NbdReply {}

  /** What a range consists of; only when structured replies were asked for. */
  record Status(long cookie, List<Extent> extents) implements NbdReply {}
}
