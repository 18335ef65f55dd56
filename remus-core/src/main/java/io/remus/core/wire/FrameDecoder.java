package io.remus.core.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.remus.core.wire.Frame.Chunk;
import java.nio.ByteBuffer;

/**
 * Reads the preface and then frames. Whoever gets a {@link Chunk} owns it.
 *
 * <p>A header is checked in full before memory is taken for its payload, and a payload is put
 * together in a buffer of exactly its size: a chunk's data is one piece of memory that shares
 * nothing with other frames, so it can stay staged without holding anything else. (A cumulating
 * decoder would keep the whole cumulation alive for each slice of it.)
 *
 * <p>The first error is reported as a {@link ProtocolException} through {@code exceptionCaught};
 * every byte after it is thrown away.
 */
public final class FrameDecoder extends ChannelInboundHandlerAdapter {

  private enum Awaiting {
    PREFACE,
    HEADER,
    CHUNK_HEAD,
    BODY,
    NOTHING
  }

  private final Limits limits;

  /** The header, and behind it the head of a chunk: what is read before memory is taken. */
  private final ByteBuffer head = ByteBuffer.allocate(FrameHeader.BYTES + ChunkHead.BYTES);

  private Awaiting awaiting = Awaiting.PREFACE;
  private FrameHeader header;
  private ByteBuf body;

  public FrameDecoder(Limits limits) {
    this.limits = limits;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf in = (ByteBuf) message;
    try {
      while (in.isReadable() && awaiting != Awaiting.NOTHING) {
        Frame frame = advance(in, ctx.alloc());
        if (frame != null) {
          ctx.fireChannelRead(frame);
        }
      }
    } catch (ProtocolException e) {
      stop();
      ctx.fireExceptionCaught(e);
    } finally {
      in.release();
    }
  }

  /**
   * Takes what the current part still lacks. Returns a frame when that completes one, otherwise
   * {@code null}.
   */
  private Frame advance(ByteBuf in, ByteBufAllocator alloc) {
    switch (awaiting) {
      case PREFACE -> {
        boolean whole = fillHead(in, Preface.BYTES);
        Preface.check(head);
        if (whole) {
          awaitHeader();
        }
      }
      case HEADER -> {
        if (fillHead(in, FrameHeader.BYTES)) {
          header = FrameHeader.read(head.duplicate().flip(), limits);
          if (header.type() == FrameType.CHUNK) {
            awaiting = Awaiting.CHUNK_HEAD;
          } else {
            awaitBody(alloc, header.length());
          }
        }
      }
      case CHUNK_HEAD -> {
        if (fillHead(in, FrameHeader.BYTES + ChunkHead.BYTES)) {
          awaitBody(alloc, header.length() - ChunkHead.BYTES);
        }
      }
      case BODY -> {
        body.writeBytes(in, Math.min(in.readableBytes(), body.writableBytes()));
        if (!body.isWritable()) {
          return frame();
        }
      }
      case NOTHING -> {}
    }
    return null;
  }

  private boolean fillHead(ByteBuf in, int bytes) {
    int taken = Math.min(in.readableBytes(), bytes - head.position());
    in.readBytes(head.limit(head.position() + taken));
    head.limit(head.capacity());
    return head.position() == bytes;
  }

  private void awaitHeader() {
    head.clear();
    awaiting = Awaiting.HEADER;
  }

  private void awaitBody(ByteBufAllocator alloc, int bytes) {
    body = alloc.directBuffer(bytes, bytes);
    awaiting = Awaiting.BODY;
  }

  private Frame frame() {
    Frame frame = header.type() == FrameType.CHUNK ? chunk() : other();
    awaitHeader();
    return frame;
  }

  private Frame chunk() {
    ByteBuffer place = head.duplicate().flip().position(FrameHeader.BYTES);
    checkCrc(ChunkHead.crc(place.duplicate(), body));
    Chunk chunk;
    try {
      chunk =
          new Chunk(place.getLong(), place.getInt(), ChunkKind.of(place.get()), body, header.crc());
    } catch (IllegalArgumentException e) {
      throw new ProtocolException("CHUNK: " + e.getMessage(), e);
    }
    body = null;
    return chunk;
  }

  private Frame other() {
    checkCrc(Crc.of(body));
    Frame frame = FrameCodecs.of(header.type()).read(body);
    releaseBody();
    return frame;
  }

  private void checkCrc(int crc) {
    if (crc != header.crc()) {
      throw new ProtocolException("the payload of " + header.type() + " is damaged");
    }
  }

  private void stop() {
    awaiting = Awaiting.NOTHING;
    releaseBody();
  }

  private void releaseBody() {
    if (body != null) {
      body.release();
      body = null;
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    stop();
    ctx.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    stop();
  }
}
