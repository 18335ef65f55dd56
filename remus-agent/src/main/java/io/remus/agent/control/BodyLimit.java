package io.remus.agent.control;

import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;

/** Collects a request's body, and answers one that is too large as soon as that shows. */
final class BodyLimit extends HttpObjectAggregator {
  BodyLimit(int maxBytes) {
    super(maxBytes);
  }

  @Override
  protected void handleOversizedMessage(ChannelHandlerContext context, HttpMessage oversized) {
    Reply refusal =
        Reply.error(
            HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE,
            "body-too-large",
            "the body has more than " + maxContentLength() + " bytes",
            "See docs/openapi.yaml.");
    // The rest of the body is still coming: to close now would reset the connection before the
    // client has read why. It closes when it has, or the read timeout does.
    context
        .writeAndFlush(RequestHandler.response(refusal))
        .addListener(
            sent -> {
              ChannelFuture unused = ((DuplexChannel) context.channel()).shutdownOutput();
            });
  }
}
