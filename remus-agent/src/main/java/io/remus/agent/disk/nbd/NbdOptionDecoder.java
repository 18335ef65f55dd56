package io.remus.agent.disk.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Reads what the client says in the handshake: its flags, an {@link Integer}, and then its options.
 *
 * <pre>
 * u32 client flags
 * u64 "IHAVEOPT" | u32 option | u32 length | data      any number of times
 * </pre>
 *
 * What follows the last option is the next handler's: remove this one to pass it on.
 */
final class NbdOptionDecoder extends ByteToMessageDecoder {
  static final long MAGIC = 0x49484156454F5054L;

  private static final int HEAD_BYTES = 16;

  private final NbdLimits limits;
  private boolean flagsRead;
  private int options;

  NbdOptionDecoder(NbdLimits limits) {
    this.limits = limits;
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
    if (!flagsRead) {
      if (in.readableBytes() >= Integer.BYTES) {
        out.add(in.readInt());
        flagsRead = true;
      }
    } else if (in.readableBytes() >= HEAD_BYTES) {
      option(in, out);
    }
  }

  private void option(ByteBuf in, List<Object> out) {
    int start = in.readerIndex();
    long magic = in.getLong(start);
    int type = in.getInt(start + 8);
    long length = in.getUnsignedInt(start + 12);
    if (magic != MAGIC) {
      refuse(in, "an option begins with %x".formatted(magic));
    }
    if (length > limits.optionBytes()) {
      refuse(in, "option %d of %d bytes".formatted(type, length));
    }
    if (in.readableBytes() < HEAD_BYTES + length) {
      return;
    }
    if (++options > limits.options()) {
      refuse(in, "more than " + limits.options() + " options");
    }
    byte[] data = new byte[(int) length];
    in.skipBytes(HEAD_BYTES).readBytes(data);
    out.add(new NbdOption(type, ByteBuffer.wrap(data)));
  }

  /** Nothing of what is here will be looked at again. */
  private static void refuse(ByteBuf in, String why) {
    in.skipBytes(in.readableBytes());
    throw new NbdException(why);
  }
}
