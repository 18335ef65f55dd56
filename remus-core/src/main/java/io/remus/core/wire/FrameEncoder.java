package io.remus.core.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.MessageToMessageEncoder;
import io.remus.core.wire.Frame.Chunk;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Writes frames, and the preface before the first. A chunk's data goes out as it is, behind a small
 * buffer of its own.
 */
public final class FrameEncoder extends MessageToMessageEncoder<Frame> {

  private final Limits limits;
  private boolean prefaced;

  public FrameEncoder(Limits limits) {
    super(Frame.class);
    this.limits = limits;
  }

  @Override
  protected void encode(ChannelHandlerContext ctx, Frame frame, List<Object> out) {
    if (!prefaced) {
      out.add(ctx.alloc().directBuffer(Preface.BYTES).writeBytes(Preface.bytes()));
      prefaced = true;
    }
    if (frame instanceof Chunk chunk) {
      out.add(head(ctx.alloc(), chunk));
      out.add(chunk.data().retainedDuplicate());
    } else {
      out.add(whole(ctx.alloc(), frame));
    }
  }

  private ByteBuf head(ByteBufAllocator alloc, Chunk chunk) {
    int length = checked(FrameType.CHUNK, ChunkHead.BYTES + chunk.bytes());
    ByteBuffer head = ByteBuffer.allocate(FrameHeader.BYTES + ChunkHead.BYTES);
    new FrameHeader(FrameType.CHUNK, length, chunk.crc()).write(head);
    ChunkHead.write(chunk.epoch(), chunk.index(), chunk.kind(), head);
    return alloc.directBuffer(head.capacity()).writeBytes(head.flip());
  }

  private ByteBuf whole(ByteBufAllocator alloc, Frame frame) {
    FrameCodec<?> codec = FrameCodecs.of(frame);
    ByteBuf buffer = alloc.directBuffer();
    try {
      buffer.writeZero(FrameHeader.BYTES);
      codec.write(frame, buffer);
      int length = checked(codec.type(), buffer.readableBytes() - FrameHeader.BYTES);
      int crc = Crc.of(buffer.slice(FrameHeader.BYTES, length));
      new FrameHeader(codec.type(), length, crc).write(buffer.nioBuffer(0, FrameHeader.BYTES));
      return buffer.retain();
    } finally {
      buffer.release();
    }
  }

  /** What the peer would refuse is not sent. */
  private int checked(FrameType type, int length) {
    if (length > type.mostBytes(limits)) {
      throw new IllegalArgumentException(
          "%s of %d bytes, at most %d can be sent".formatted(type, length, type.mostBytes(limits)));
    }
    return length;
  }
}
