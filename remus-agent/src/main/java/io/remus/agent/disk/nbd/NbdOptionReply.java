package io.remus.agent.disk.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;

/**
 * Replies to an option, in the order they are added.
 *
 * <pre>
 * u64 0x3e889045565a9 | u32 option | u32 type | u32 length | data
 * </pre>
 */
final class NbdOptionReply {
  static final long MAGIC = 0x3E889045565A9L;

  static final int ERR_UNSUP = error(1);
  static final int ERR_POLICY = error(2);
  static final int ERR_INVALID = error(3);
  static final int ERR_UNKNOWN = error(6);

  private static final int ACK = 1;
  private static final int SERVER = 2;
  private static final int INFO = 3;
  private static final int META_CONTEXT = 4;

  private final int option;
  private final ByteBuf bytes = Unpooled.buffer();

  NbdOptionReply(int option) {
    this.option = option;
  }

  NbdOptionReply ack() {
    return reply(ACK, Unpooled.EMPTY_BUFFER);
  }

  /** An error with a sentence for the user. */
  NbdOptionReply error(int type, String message) {
    return reply(type, utf8(message));
  }

  NbdOptionReply server(String name) {
    ByteBuf text = utf8(name);
    return reply(SERVER, Unpooled.buffer().writeInt(text.readableBytes()).writeBytes(text));
  }

  NbdOptionReply info(int type, ByteBuf payload) {
    return reply(INFO, Unpooled.buffer().writeShort(type).writeBytes(payload));
  }

  NbdOptionReply metaContext(int id, String name) {
    return reply(META_CONTEXT, Unpooled.buffer().writeInt(id).writeBytes(utf8(name)));
  }

  /** All of it, for the wire. */
  ByteBuf bytes() {
    return bytes;
  }

  static ByteBuf utf8(String text) {
    return Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.UTF_8));
  }

  private NbdOptionReply reply(int type, ByteBuf data) {
    bytes
        .writeLong(MAGIC)
        .writeInt(option)
        .writeInt(type)
        .writeInt(data.readableBytes())
        .writeBytes(data);
    return this;
  }

  private static int error(int number) {
    return 1 << 31 | number;
  }
}
