package io.remus.agent.disk.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.MessageToMessageEncoder;
import java.util.List;

/**
 * Writes replies: simple ones, and structured ones of a single chunk where the client has asked for
 * these and the protocol wants them.
 *
 * <pre>
 * simple:      u32 0x67446698 | u32 error | u64 cookie | data of a read
 * structured:  u32 0x668e33ef | u16 flags | u16 type | u64 cookie | u32 length | payload
 * </pre>
 */
final class NbdReplyEncoder extends MessageToMessageEncoder<NbdReply> {
  static final int SIMPLE_MAGIC = 0x67446698;
  static final int STRUCTURED_MAGIC = 0x668e33ef;

  static final int OFFSET_DATA = 1;
  static final int BLOCK_STATUS = 5;
  static final int ERROR = 1 << 15 | 1;

  private static final int FLAG_DONE = 1;

  private static final int SIMPLE_BYTES = 16;
  private static final int CHUNK_BYTES = 20;
  private static final int EXTENT_BYTES = 8;

  private final boolean structured;

  NbdReplyEncoder(boolean structured) {
    super(NbdReply.class);
    this.structured = structured;
  }

  @Override
  protected void encode(ChannelHandlerContext ctx, NbdReply reply, List<Object> out) {
    if (reply instanceof NbdReply.Done) {
      out.add(simple(ctx, reply, 0));
    } else if (reply instanceof NbdReply.Failed failed) {
      out.add(failed(ctx, failed));
    } else if (reply instanceof NbdReply.Data data) {
      out.add(head(ctx, data));
      out.add(data.data());
    } else if (reply instanceof NbdReply.Status status) {
      out.add(status(ctx, status));
    }
  }

  private ByteBuf failed(ChannelHandlerContext ctx, NbdReply.Failed failed) {
    int error = failed.error().number();
    return structured
        ? chunk(ctx, failed, ERROR, 6, 6).writeInt(error).writeShort(0)
        : simple(ctx, failed, error);
  }

  private ByteBuf head(ChannelHandlerContext ctx, NbdReply.Data data) {
    return structured
        ? chunk(ctx, data, OFFSET_DATA, 8, 8 + data.data().readableBytes()).writeLong(data.offset())
        : simple(ctx, data, 0);
  }

  private static ByteBuf status(ChannelHandlerContext ctx, NbdReply.Status status) {
    int length = 4 + EXTENT_BYTES * status.extents().size();
    ByteBuf chunk = chunk(ctx, status, BLOCK_STATUS, length, length);
    chunk.writeInt(NbdHandshake.CONTEXT_ID);
    for (Extent extent : status.extents()) {
      chunk.writeInt((int) extent.length()).writeInt(extent.state());
    }
    return chunk;
  }

  private static ByteBuf simple(ChannelHandlerContext ctx, NbdReply reply, int error) {
    return ctx.alloc()
        .directBuffer(SIMPLE_BYTES)
        .writeInt(SIMPLE_MAGIC)
        .writeInt(error)
        .writeLong(reply.cookie());
  }

  /**
   * The head of a chunk.
   *
   * @param here how much of the payload follows in the same buffer
   */
  private static ByteBuf chunk(
      ChannelHandlerContext ctx, NbdReply reply, int type, int here, int length) {
    return ctx.alloc()
        .directBuffer(CHUNK_BYTES + here)
        .writeInt(STRUCTURED_MAGIC)
        .writeShort(FLAG_DONE)
        .writeShort(type)
        .writeLong(reply.cookie())
        .writeInt(length);
  }
}
