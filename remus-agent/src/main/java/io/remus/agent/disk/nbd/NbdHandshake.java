package io.remus.agent.disk.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.DecoderException;
import io.remus.agent.disk.nbd.NbdOption.Malformed;
import java.io.IOException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Greets a client, answers its options, and gives way to the transmission when it asks to begin.
 *
 * <p>A client that comes while another has the seat may ask what there is (NBD_OPT_LIST), but not
 * begin: QEMU would otherwise mix the writes of two jobs.
 */
@SuppressWarnings(
    "FutureReturnValueIgnored") // closing cannot fail, and a write that fails ends the connection
final class NbdHandshake extends ChannelInboundHandlerAdapter {
  static final String CONTEXT = "base:allocation";
  static final int CONTEXT_ID = 1;

  private static final Logger LOG = LoggerFactory.getLogger(NbdHandshake.class);

  private static final long NBDMAGIC = 0x4e42444d41474943L;

  // Handshake flags and client flags.
  private static final int FIXED_NEWSTYLE = 1;
  private static final int NO_ZEROES = 1 << 1;

  // Transmission flags.
  private static final int HAS_FLAGS = 1;
  private static final int SEND_FLUSH = 1 << 2;
  private static final int SEND_FUA = 1 << 3;
  private static final int SEND_TRIM = 1 << 5;
  private static final int SEND_WRITE_ZEROES = 1 << 6;
  private static final int SEND_DF = 1 << 7;

  // Types of NBD_REP_INFO.
  private static final int INFO_EXPORT = 0;
  private static final int INFO_NAME = 1;
  private static final int INFO_BLOCK_SIZE = 3;

  private static final int LEAST_BLOCK = 1;
  private static final int PREFERRED_BLOCK = 64 << 10;

  /** What follows the answer to NBD_OPT_EXPORT_NAME for clients that do not know NO_ZEROES. */
  private static final int ZEROES = 124;

  private final Export export;
  private final NbdLimits limits;
  private final Seat seat;
  private Future<?> timer;
  private int clientFlags;
  private boolean structured;
  private boolean contextSet;

  NbdHandshake(Export export, NbdLimits limits, Seat seat) {
    this.export = export;
    this.limits = limits;
    this.seat = seat;
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    timer =
        ctx.executor()
            .schedule(
                () -> {
                  LOG.warn("A client of export {} did not end its handshake", export.name());
                  ctx.close();
                },
                limits.handshake().toNanos(),
                TimeUnit.NANOSECONDS);
    ctx.writeAndFlush(
        Unpooled.buffer()
            .writeLong(NBDMAGIC)
            .writeLong(NbdOptionDecoder.MAGIC)
            .writeShort(FIXED_NEWSTYLE | NO_ZEROES));
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    if (timer != null) {
      timer.cancel(false);
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (!ctx.channel().isActive()) {
      return; // what came behind the option that ended it
    }
    if (message instanceof NbdOption option) {
      answer(ctx, option);
    } else {
      clientFlags = (Integer) message;
      if ((clientFlags & ~(FIXED_NEWSTYLE | NO_ZEROES)) != 0) {
        throw new NbdException("unknown client flags %x".formatted(clientFlags));
      }
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    Throwable reason = cause instanceof DecoderException ? cause.getCause() : cause;
    if (reason instanceof IOException) {
      LOG.debug("A client of export {} broke off its handshake", export.name(), reason);
    } else if (reason instanceof NbdException) {
      LOG.warn(
          "A client of export {} broke the NBD protocol: {}", export.name(), reason.getMessage());
    } else {
      LOG.error("The handshake with a client of export {} failed", export.name(), reason);
    }
    ctx.close();
  }

  private void answer(ChannelHandlerContext ctx, NbdOption option) {
    NbdOptionReply reply = new NbdOptionReply(option.type());
    try {
      switch (option.type()) {
        case NbdOption.EXPORT_NAME -> exportName(ctx, option);
        case NbdOption.ABORT ->
            ctx.writeAndFlush(reply.ack().bytes()).addListener(ChannelFutureListener.CLOSE);
        case NbdOption.LIST -> {
          option.end();
          ctx.writeAndFlush(reply.server(export.name()).ack().bytes());
        }
        case NbdOption.INFO, NbdOption.GO -> infoOrGo(ctx, option, reply);
        case NbdOption.STRUCTURED_REPLY -> {
          option.end();
          structured = true;
          ctx.writeAndFlush(reply.ack().bytes());
        }
        case NbdOption.LIST_META_CONTEXT, NbdOption.SET_META_CONTEXT -> {
          metaContext(option, reply);
          ctx.writeAndFlush(reply.bytes());
        }
        default -> refuse(ctx, option, NbdOptionReply.ERR_UNSUP, "not supported");
      }
    } catch (Malformed e) {
      if (option.type() == NbdOption.EXPORT_NAME) {
        ctx.close(); // it knows no refusal
      } else {
        refuse(ctx, option, NbdOptionReply.ERR_INVALID, e.getMessage());
      }
    }
  }

  /** The old way to begin, which knows no refusal but to close. */
  private void exportName(ChannelHandlerContext ctx, NbdOption option) throws Malformed {
    if (!isOurs(option.text()) || !seat.isFree()) {
      ctx.close();
      return;
    }
    ByteBuf answer = describe();
    if ((clientFlags & NO_ZEROES) == 0) {
      answer.writeZero(ZEROES);
    }
    begin(ctx, answer);
  }

  private void infoOrGo(ChannelHandlerContext ctx, NbdOption option, NbdOptionReply reply)
      throws Malformed {
    String name = option.counted();
    int wishes = option.u16();
    boolean nameWanted = false;
    boolean sizesWanted = false;
    for (int i = 0; i < wishes; i++) {
      int wish = option.u16();
      nameWanted |= wish == INFO_NAME;
      sizesWanted |= wish == INFO_BLOCK_SIZE;
    }
    option.end();
    if (!isOurs(name)) {
      refuse(ctx, option, NbdOptionReply.ERR_UNKNOWN, "there is only \"" + export.name() + '"');
      return;
    }
    if (!seat.isFree()) {
      refuse(
          ctx,
          option,
          NbdOptionReply.ERR_POLICY,
          "another client writes to \"%s\", and only one may".formatted(export.name()));
      return;
    }
    reply.info(INFO_EXPORT, describe());
    if (nameWanted) {
      reply.info(INFO_NAME, NbdOptionReply.utf8(export.name()));
    }
    if (sizesWanted) {
      reply.info(
          INFO_BLOCK_SIZE,
          Unpooled.buffer()
              .writeInt(LEAST_BLOCK)
              .writeInt(PREFERRED_BLOCK)
              .writeInt(limits.requestBytes()));
    }
    reply.ack();
    if (option.type() == NbdOption.GO) {
      begin(ctx, reply.bytes());
    } else {
      ctx.writeAndFlush(reply.bytes());
    }
  }

  private void metaContext(NbdOption option, NbdOptionReply reply) throws Malformed {
    boolean set = option.type() == NbdOption.SET_META_CONTEXT;
    if (set) {
      contextSet = false;
    }
    if (!structured) {
      throw new Malformed("structured replies must be asked for first");
    }
    String name = option.counted();
    long queries = option.u32();
    boolean found = !set && queries == 0;
    for (long i = 0; i < queries; i++) {
      String query = option.counted();
      found |= query.equals(CONTEXT) || (!set && query.equals("base:"));
    }
    option.end();
    if (!isOurs(name)) {
      reply.error(NbdOptionReply.ERR_UNKNOWN, "there is only \"" + export.name() + '"');
      return;
    }
    if (found && export instanceof ReadableExport) {
      contextSet |= set;
      reply.metaContext(set ? CONTEXT_ID : 0, CONTEXT);
    }
    reply.ack();
  }

  private static void refuse(ChannelHandlerContext ctx, NbdOption option, int error, String why) {
    ctx.writeAndFlush(new NbdOptionReply(option.type()).error(error, why).bytes());
  }

  /** An export is known by its name, and as the default one. */
  private boolean isOurs(String name) {
    return name.isEmpty() || name.equals(export.name());
  }

  private ByteBuf describe() {
    int flags = HAS_FLAGS | SEND_FLUSH | SEND_FUA | SEND_TRIM | SEND_WRITE_ZEROES;
    if (structured) {
      flags |= SEND_DF;
    }
    return Unpooled.buffer().writeLong(export.bytes()).writeShort(flags);
  }

  /** Answers, and from here on reads requests. */
  private void begin(ChannelHandlerContext ctx, ByteBuf answer) {
    ctx.writeAndFlush(answer);
    InFlight inFlight = new InFlight(limits.inFlightRequests(), limits.inFlightBytes());
    NbdRequestCheck check =
        new NbdRequestCheck(export, limits.requestBytes(), structured, contextSet);
    NbdRequestDecoder decoder = new NbdRequestDecoder(check, inFlight);
    NbdConnection connection = new NbdConnection(export, decoder, inFlight, seat);
    seat.take(connection, ctx.channel());
    ChannelPipeline pipeline = ctx.pipeline();
    pipeline.addLast(new NbdReplyEncoder(structured), decoder, connection);
    pipeline.remove(this);
    pipeline.remove(NbdOptionDecoder.class); // passes on what it has read too far
  }
}
