package io.remus.agent.disk.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The transmission with the one client: gives its requests to the export and its replies to the
 * client. All but {@link Reply} happens on the event loop.
 */
@SuppressWarnings(
    "FutureReturnValueIgnored") // closing cannot fail, and a write that fails ends the connection
final class NbdConnection extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(NbdConnection.class);

  /** More may be asked for again, and a client's answer has to fit into its memory. */
  private static final int MOST_EXTENTS = 4096;

  private final Export export;
  private final NbdRequestDecoder decoder;
  private final InFlight inFlight;
  private final Seat seat;
  private final Set<Pending> pending = new LinkedHashSet<>();
  private ChannelHandlerContext ctx;
  private boolean leaving;

  NbdConnection(Export export, NbdRequestDecoder decoder, InFlight inFlight, Seat seat) {
    this.export = export;
    this.decoder = decoder;
    this.inFlight = inFlight;
    this.seat = seat;
  }

  /** Refuses what is under way, and closes. */
  void shutDown() {
    for (Pending each : pending) {
      ctx.write(new NbdReply.Failed(each.cookie(), NbdError.ESHUTDOWN));
    }
    pending.clear();
    ctx.flush();
    ctx.close();
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    ctx = context;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    NbdRequest request = (NbdRequest) message;
    if (!ctx.channel().isActive()) {
      if (request.data() != null) {
        request.data().release();
      }
    } else if (request.type() == NbdRequest.DISC) {
      leaving = true;
      closeIfDone();
    } else {
      Pending one = new Pending(request);
      pending.add(one);
      if (request.refusal() != null) {
        finish(one, request.refusal());
      } else {
        perform(one, request);
      }
    }
  }

  private void perform(Pending one, NbdRequest request) {
    long offset = request.offset();
    long length = request.length();
    switch (request.type()) {
      case NbdRequest.WRITE -> export.write(offset, request.data(), durably(one));
      case NbdRequest.WRITE_ZEROES ->
          export.zero(offset, length, !request.has(NbdRequest.FLAG_NO_HOLE), durably(one));
      case NbdRequest.TRIM -> export.trim(offset, length, durably(one));
      case NbdRequest.FLUSH -> export.flush(reply(one));
      case NbdRequest.READ -> {
        one.read = ctx.alloc().directBuffer((int) length, (int) length);
        try {
          readable().read(offset, (int) length, one.read, reply(one));
        } catch (RuntimeException e) {
          one.release();
          throw e;
        }
      }
      case NbdRequest.BLOCK_STATUS -> status(one, request);
      default -> throw new IllegalStateException("request " + request.type() + " was let in");
    }
  }

  private void status(Pending one, NbdRequest request) {
    int most = request.has(NbdRequest.FLAG_REQ_ONE) ? 1 : MOST_EXTENTS;
    List<Extent> extents = new ArrayList<>();
    long left = request.length();
    for (Extent extent : readable().extents(request.offset(), request.length())) {
      if (left == 0 || extents.size() == most) {
        break;
      }
      long length = Math.min(extent.length(), left);
      extents.add(new Extent(length, extent.hole(), extent.zero()));
      left -= length;
    }
    if (extents.isEmpty()) {
      throw new IllegalStateException("export " + export.name() + " knows no extent");
    }
    answer(one, new NbdReply.Status(one.cookie(), extents));
  }

  private ReadableExport readable() {
    return (ReadableExport) export;
  }

  private Reply reply(Pending one) {
    return new Once(one, error -> finish(one, error));
  }

  /** As {@link #reply}, and when the request has FUA only after a flush. */
  private Reply durably(Pending one) {
    if (!one.request.has(NbdRequest.FLAG_FUA)) {
      return reply(one);
    }
    return new Once(
        one,
        error -> {
          if (error == null && pending.contains(one) && ctx.channel().isActive()) {
            export.flush(reply(one));
          } else {
            finish(one, error);
          }
        });
  }

  private void finish(Pending one, NbdError error) {
    if (error != null) {
      seat.refused();
    }
    if (pending.contains(one)) {
      answer(one, error == null ? success(one) : new NbdReply.Failed(one.cookie(), error));
    }
    one.release();
  }

  private NbdReply success(Pending one) {
    if (one.read == null) {
      return new NbdReply.Done(one.cookie());
    }
    if (one.read.readableBytes() != one.request.length()) {
      throw new IllegalStateException(
          "%d bytes were read of %s".formatted(one.read.readableBytes(), one.request));
    }
    return new NbdReply.Data(one.cookie(), one.request.offset(), one.read.retain());
  }

  private void answer(Pending one, NbdReply reply) {
    pending.remove(one);
    ctx.writeAndFlush(reply)
        .addListener(
            written -> {
              inFlight.leave(one.request.memory());
              decoder.resume();
            });
    closeIfDone();
  }

  private void closeIfDone() {
    if (leaving && pending.isEmpty()) {
      ctx.close();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (cause instanceof IOException) {
      LOG.debug("The connection to export {} broke", export.name(), cause);
    } else if (cause instanceof NbdException) {
      LOG.warn(
          "The client of export {} broke the NBD protocol: {}", export.name(), cause.getMessage());
    } else {
      LOG.error("Export {} failed, its client is disconnected", export.name(), cause);
    }
    ctx.close();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    pending.clear();
    context.fireChannelInactive();
  }

  /** A request that was not answered yet. */
  private static final class Pending {
    final NbdRequest request;

    /** What the export reads into; not to be released before it has replied. */
    ByteBuf read;

    Pending(NbdRequest request) {
      this.request = request;
    }

    long cookie() {
      return request.cookie();
    }

    void release() {
      if (read != null) {
        read.release();
        read = null;
      }
    }
  }

  /** Brings the export's reply to the event loop. */
  private final class Once implements Reply {
    private final Pending one;
    private final Consumer<NbdError> then;
    private final AtomicBoolean given = new AtomicBoolean();

    Once(Pending one, Consumer<NbdError> then) {
      this.one = one;
      this.then = then;
    }

    @Override
    public void ok() {
      give(null);
    }

    @Override
    public void fail(NbdError error) {
      give(error);
    }

    private void give(NbdError error) {
      if (given.getAndSet(true)) {
        throw new IllegalStateException("a request is replied to once");
      }
      if (ctx.executor().inEventLoop()) {
        go(error);
        return;
      }
      try {
        ctx.executor().execute(() -> go(error));
      } catch (RejectedExecutionException e) {
        one.release(); // the loop has ended, and every connection with it
      }
    }

    private void go(NbdError error) {
      try {
        then.accept(error);
      } catch (RuntimeException e) {
        one.release();
        exceptionCaught(ctx, e);
      }
    }
  }
}
