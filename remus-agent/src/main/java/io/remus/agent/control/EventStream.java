package io.remus.agent.control;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.CharsetUtil;
import io.remus.agent.status.EventLog;
import io.remus.core.control.ControlJson;
import io.remus.core.control.EventRecord;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Events to one client, one JSON object on a line. It remembers only the last sequence number sent
 * and reads on when the client has room, so a client that does not read costs no memory; when it
 * falls behind by more than the log keeps, its sequence numbers have a gap.
 */
final class EventStream extends ChannelInboundHandlerAdapter {
  private static final int BATCH = 64;

  private final EventLog events;
  private final boolean follow;
  private final AtomicBoolean pumpDue = new AtomicBoolean();
  private long sent;
  private EventLog.Following following;
  private boolean ended;

  private EventStream(EventLog events, long since, boolean follow) {
    this.events = events;
    this.follow = follow;
    this.sent = since;
  }

  /** Answers with the events after {@code since}, and those to come when {@code follow} is set. */
  static void start(ChannelHandlerContext context, EventLog events, long since, boolean follow) {
    HttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
    head.headers()
        .set(HttpHeaderNames.CONTENT_TYPE, "application/x-ndjson")
        .set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED)
        .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    context.writeAndFlush(head).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
    context.pipeline().addLast(new EventStream(events, since, follow));
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    if (follow) {
      // However many events come at once, one pump is waiting at most.
      following =
          events.follow(
              () -> {
                if (!pumpDue.getAndSet(true)) {
                  context.executor().execute(() -> pump(context));
                }
              });
    }
    pump(context);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    if (following != null) {
      following.close();
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    pump(context);
    context.fireChannelWritabilityChanged();
  }

  private void pump(ChannelHandlerContext context) {
    pumpDue.set(false);
    while (!ended && context.channel().isActive() && context.channel().isWritable()) {
      List<EventRecord> next = events.after(sent, BATCH);
      if (next.isEmpty()) {
        if (!follow) {
          ended = true;
          context
              .writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT)
              .addListener(ChannelFutureListener.CLOSE);
        }
        return;
      }
      StringBuilder lines = new StringBuilder();
      for (EventRecord event : next) {
        lines.append(ControlJson.line(event)).append('\n');
        sent = event.sequence();
      }
      context
          .writeAndFlush(new DefaultHttpContent(Unpooled.copiedBuffer(lines, CharsetUtil.UTF_8)))
          .addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
    }
  }
}
