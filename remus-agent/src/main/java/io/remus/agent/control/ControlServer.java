package io.remus.agent.control;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.timeout.ReadTimeoutHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.remus.agent.socket.Access;
import io.remus.agent.socket.SocketFile;
import io.remus.agent.status.EventLog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The control API on its unix socket. Requests are read and answered on one event loop thread, and
 * done on at most four workers, so that nothing an operation waits for can stop the loop.
 */
public final class ControlServer implements AutoCloseable {
  /** A request's body may have so many bytes; the largest real one has a few hundred. */
  static final int MAX_BODY_BYTES = 64 << 10;

  private static final int WORKERS = 4;
  private static final int WAITING_REQUESTS = 64;
  private static final int REQUEST_TIMEOUT_SECONDS = 30;

  private final SocketFile file;
  private final EventLoopGroup loop =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("control"), EpollIoHandler.newFactory());
  private final ThreadPoolExecutor workers =
      new ThreadPoolExecutor(
          WORKERS,
          WORKERS,
          30,
          TimeUnit.SECONDS,
          new LinkedBlockingQueue<>(WAITING_REQUESTS),
          new DefaultThreadFactory("control-worker"));
  private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);

  private ControlServer(SocketFile file) {
    this.file = file;
    workers.allowCoreThreadTimeOut(true);
  }

  /**
   * Serves the API until {@link #close}.
   *
   * @param socket path of the unix socket; a stale one is replaced
   * @param group the group that may use it besides root
   * @throws IOException when the socket cannot be made, also because another agent serves it
   */
  public static ControlServer start(
      Path socket, String group, Operations operations, EventLog events) throws IOException {
    ControlServer server =
        new ControlServer(
            new SocketFile(socket, Access.group(group), "set control.socket to another path"));
    try {
      server.bind(new Routes(operations), events);
      return server;
    } catch (IOException | RuntimeException e) {
      server.stop();
      throw e;
    }
  }

  /** Takes the socket away and ends all connections. */
  @Override
  public void close() throws IOException {
    try {
      file.remove();
    } finally {
      stop();
    }
  }

  private void bind(Routes routes, EventLog events) throws IOException {
    Path bound = file.prepare();
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(loop)
            .channel(EpollServerDomainSocketChannel.class)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    connections.add(channel);
                    channel
                        .pipeline()
                        .addLast(
                            new ReadTimeoutHandler(REQUEST_TIMEOUT_SECONDS),
                            new HttpServerCodec(),
                            new BodyLimit(MAX_BODY_BYTES),
                            new RequestHandler(routes, events, workers));
                  }
                });
    ChannelFuture listening =
        bootstrap.bind(new DomainSocketAddress(bound.toString())).awaitUninterruptibly();
    if (!listening.isSuccess()) {
      throw new IOException("the control socket " + bound + " cannot be made", listening.cause());
    }
    connections.add(listening.channel());
    file.publish();
  }

  private void stop() {
    connections.close().awaitUninterruptibly();
    workers.shutdown();
    loop.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly();
  }
}
