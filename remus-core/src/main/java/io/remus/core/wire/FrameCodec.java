package io.remus.core.wire;

import io.netty.buffer.ByteBuf;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * How the payload of one type of frame is written and read.
 *
 * @param writer appends the payload
 * @param reader reads exactly the payload; may throw what {@link ByteBuf} and the frame's
 *     constructor throw
 */
record FrameCodec<F extends Frame>(
    FrameType type, Class<F> frame, BiConsumer<F, ByteBuf> writer, Function<ByteBuf, F> reader) {

  void write(Frame value, ByteBuf out) {
    writer.accept(frame.cast(value), out);
  }

  /**
   * @throws ProtocolException when the payload is not what its type says
   */
  F read(ByteBuf payload) {
    F value;
    try {
      value = reader.apply(payload);
    } catch (IndexOutOfBoundsException e) {
      throw new ProtocolException(type + " ends within a field", e);
    } catch (IllegalArgumentException e) {
      throw new ProtocolException(type + ": " + e.getMessage(), e);
    }
    if (payload.isReadable()) {
      throw new ProtocolException(type + " has " + payload.readableBytes() + " bytes too many");
    }
    return value;
  }
}
