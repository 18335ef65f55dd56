package io.remus.agent.control;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.timeout.ReadTimeoutException;
import io.netty.handler.timeout.ReadTimeoutHandler;
import io.netty.util.CharsetUtil;
import io.remus.agent.status.EventLog;
import io.remus.core.control.ControlJson;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the one request of a connection. A connection on a unix socket costs nothing, and with one
 * request each no answer can wait behind, or be taken for, another's.
 */
final class RequestHandler extends SimpleChannelInboundHandler<FullHttpRequest> {
  private static final Logger LOG = LoggerFactory.getLogger(RequestHandler.class);

  private final Routes routes;
  private final EventLog events;
  private final Executor workers;
  private boolean served;

  RequestHandler(Routes routes, EventLog events, Executor workers) {
    this.routes = routes;
    this.events = events;
    this.workers = workers;
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
    if (served) {
      return;
    }
    served = true;
    // From here on the client waits for us, not we for it.
    context.pipeline().remove(ReadTimeoutHandler.class);
    if (request.decoderResult().isFailure()) {
      reply(
          context,
          Routes.badRequest(new BadRequestException("", "the request is no HTTP/1.1 request")));
      return;
    }
    try {
      dispatch(context, request);
    } catch (BadRequestException e) {
      reply(context, Routes.badRequest(e));
    } catch (RejectedExecutionException e) {
      reply(
          context,
          Reply.error(
              HttpResponseStatus.SERVICE_UNAVAILABLE,
              "busy",
              "the agent has too many requests at once",
              "Try again; `remus status` shows what it is doing."));
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (!(cause instanceof IOException) && !(cause instanceof ReadTimeoutException)) {
      LOG.warn("A connection on the control socket failed", cause);
    }
    ChannelFuture unused = context.close();
  }

  private void dispatch(ChannelHandlerContext context, FullHttpRequest request)
      throws BadRequestException {
    QueryStringDecoder uri = uri(request);
    boolean pathKnown = false;
    for (Route route : routes.all()) {
      Optional<String> name = route.match(uri.path());
      if (name.isPresent() && route.method().equals(request.method())) {
        String body = request.content().toString(CharsetUtil.UTF_8);
        Route.Call call = new Route.Call(name.get(), query(route, uri), body);
        run(context, route, call);
        return;
      }
      pathKnown |= name.isPresent();
    }
    reply(context, unknown(request.method(), uri.path(), pathKnown));
  }

  private void run(ChannelHandlerContext context, Route route, Route.Call call)
      throws BadRequestException {
    if (route.equals(Routes.EVENTS)) {
      EventStream.start(context, events, call.number("since"), call.flag("follow"));
    } else {
      workers.execute(() -> routes.run(route, call).thenAccept(reply -> reply(context, reply)));
    }
  }

  private static QueryStringDecoder uri(FullHttpRequest request) throws BadRequestException {
    QueryStringDecoder uri = new QueryStringDecoder(request.uri(), CharsetUtil.UTF_8);
    try {
      uri.path();
      uri.parameters();
      return uri;
    } catch (IllegalArgumentException e) {
      throw new BadRequestException("", "the path is not well encoded: " + request.uri());
    }
  }

  private static Map<String, String> query(Route route, QueryStringDecoder uri)
      throws BadRequestException {
    Map<String, String> query = new HashMap<>();
    for (Map.Entry<String, List<String>> parameter : uri.parameters().entrySet()) {
      if (!route.parameters().contains(parameter.getKey())) {
        throw new BadRequestException(parameter.getKey(), "unknown parameter");
      }
      if (parameter.getValue().size() != 1) {
        throw new BadRequestException(parameter.getKey(), "given more than once");
      }
      query.put(parameter.getKey(), parameter.getValue().get(0));
    }
    return query;
  }

  private static Reply unknown(HttpMethod method, String path, boolean pathKnown) {
    HttpResponseStatus status =
        pathKnown ? HttpResponseStatus.METHOD_NOT_ALLOWED : HttpResponseStatus.NOT_FOUND;
    return Reply.error(
        status,
        "unknown-request",
        "%s %s is not part of the control API".formatted(method, path),
        "See docs/openapi.yaml.");
  }

  /** Answers and closes; may be called on any thread. */
  private static void reply(ChannelHandlerContext context, Reply reply) {
    context.writeAndFlush(response(reply)).addListener(ChannelFutureListener.CLOSE);
  }

  static FullHttpResponse response(Reply reply) {
    ByteBuf body =
        reply.body() == null
            ? Unpooled.EMPTY_BUFFER
            : Unpooled.copiedBuffer(ControlJson.line(reply.body()) + "\n", CharsetUtil.UTF_8);
    FullHttpResponse response =
        new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, reply.status(), body);
    if (reply.body() != null) {
      response
          .headers()
          .set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON)
          .set(HttpHeaderNames.CONTENT_LENGTH, body.readableBytes());
    }
    response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    return response;
  }
}
