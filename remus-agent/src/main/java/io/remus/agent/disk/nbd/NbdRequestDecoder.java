package io.remus.agent.disk.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Reads requests. Whoever gets a write owns its data.
 *
 * <pre>
 * u32 0x25609513 | u16 flags | u16 type | u64 cookie | u64 offset | u32 length | data of a write
 * </pre>
 *
 * <p>A head is checked in full before memory is taken, and data are put together in one buffer of
 * exactly their size: it holds nothing else alive, however long the export keeps it. The data of a
 * write that is refused are thrown away as they come.
 *
 * <p>A request is let in when there is room for it in flight. Until then nothing behind it is
 * decoded, and no more is read from the socket than has been read already.
 */
final class NbdRequestDecoder extends ChannelInboundHandlerAdapter {
  static final int MAGIC = 0x25609513;
  static final int HEAD_BYTES = 28;

  private enum Awaiting {
    HEAD,
    ROOM,
    DATA,
    NOTHING
  }

  private final NbdRequestCheck check;
  private final InFlight inFlight;
  private final ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES);

  /** Has more than one buffer only while there is no room. */
  private final Deque<ByteBuf> arrived = new ArrayDeque<>();

  private ChannelHandlerContext ctx;
  private Awaiting awaiting = Awaiting.HEAD;
  private boolean decoding;
  private NbdRequest request;
  private ByteBuf data;
  private long missing;

  NbdRequestDecoder(NbdRequestCheck check, InFlight inFlight) {
    this.check = check;
    this.inFlight = inFlight;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    ctx = context;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    arrived.add((ByteBuf) message);
    resume();
  }

  /** Goes on with what has arrived; to be called when there may be room again. */
  void resume() {
    if (decoding) {
      return; // a reply was given while its request was being passed on
    }
    decoding = true;
    try {
      while (advance()) {}
    } catch (NbdException e) {
      stop();
      ctx.fireExceptionCaught(e);
    } finally {
      decoding = false;
    }
    ctx.channel().config().setAutoRead(awaiting != Awaiting.ROOM);
  }

  /** Takes one step; returns whether another may be possible. */
  private boolean advance() {
    return switch (awaiting) {
      case HEAD -> advanceHead();
      case ROOM -> advanceRoom();
      case DATA -> advanceData();
      case NOTHING -> {
        stop();
        yield false;
      }
    };
  }

  private boolean advanceHead() {
    ByteBuf in = arrived.peek();
    if (in == null) {
      return false;
    }
    int taken = Math.min(in.readableBytes(), head.remaining());
    in.readBytes(head.limit(head.position() + taken));
    head.limit(HEAD_BYTES);
    dropIfRead(in);
    if (!head.hasRemaining()) {
      request = request(head.flip());
      head.clear();
      awaiting = Awaiting.ROOM;
    }
    return true;
  }

  private NbdRequest request(ByteBuffer from) {
    int magic = from.getInt();
    if (magic != MAGIC) {
      throw new NbdException("a request begins with %08x".formatted(magic));
    }
    int flags = Short.toUnsignedInt(from.getShort());
    int type = Short.toUnsignedInt(from.getShort());
    long cookie = from.getLong();
    long offset = from.getLong();
    long length = Integer.toUnsignedLong(from.getInt());
    NbdError refusal = check.refusal(type, flags, offset, length);
    return new NbdRequest(type, flags, cookie, offset, length, refusal, null);
  }

  private boolean advanceRoom() {
    if (!inFlight.hasRoomFor(request.memory())) {
      return false;
    }
    inFlight.enter(request.memory());
    if (request.type() == NbdRequest.WRITE) {
      missing = request.length();
      if (request.refusal() == null) {
        data = ctx.alloc().directBuffer((int) missing, (int) missing);
      }
      awaiting = Awaiting.DATA;
    } else {
      passOn();
    }
    return true;
  }

  private boolean advanceData() {
    if (missing > 0) {
      ByteBuf in = arrived.peek();
      if (in == null) {
        return false;
      }
      int taken = (int) Math.min(in.readableBytes(), missing);
      if (data == null) {
        in.skipBytes(taken);
      } else {
        data.writeBytes(in, taken);
      }
      missing -= taken;
      dropIfRead(in);
    }
    if (missing == 0) {
      passOn();
    }
    return true;
  }

  private void passOn() {
    NbdRequest whole = request.with(data);
    request = null;
    data = null;
    awaiting = whole.type() == NbdRequest.DISC ? Awaiting.NOTHING : Awaiting.HEAD;
    ctx.fireChannelRead(whole);
  }

  private void dropIfRead(ByteBuf in) {
    if (!in.isReadable()) {
      arrived.remove().release();
    }
  }

  private void stop() {
    awaiting = Awaiting.NOTHING;
    if (data != null) {
      data.release();
      data = null;
    }
    while (!arrived.isEmpty()) {
      arrived.remove().release();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    stop();
    context.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    stop();
  }
}
