package io.remus.agent.disk.nbd;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.handler.flush.FlushConsolidationHandler;
import io.remus.agent.socket.Access;
import io.remus.agent.socket.SocketFile;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Serves one export on one unix socket. Everything of a server happens on one event loop of the
 * group, so the export gets all requests on one thread and in order.
 */
@SuppressWarnings(
    "FutureReturnValueIgnored") // closing cannot fail, and a write that fails ends the connection
public final class NbdServer implements AutoCloseable {
  /** Clients that are connected, most of them only to learn that there is one already. */
  private static final int MOST_CLIENTS = 16;

  private static final int LEAST_READ_BYTES = 4 << 10;
  private static final int MOST_READ_BYTES = 256 << 10;

  /** How many replies may wait for each other to be sent together. */
  private static final int REPLIES_AT_ONCE = 64;

  private final SocketFile file;
  private final EventLoop loop;
  private final Seat seat;
  private final ChannelGroup clients;
  private Channel listener;
  private boolean closed;

  private NbdServer(SocketFile file, EventLoop loop, Seat seat) {
    this.file = file;
    this.loop = loop;
    this.seat = seat;
    this.clients = new DefaultChannelGroup(loop);
  }

  /**
   * Serves until {@link #close}.
   *
   * @param socket path of the unix socket; a stale one is replaced. The client needs search
   *     permission for its directory
   * @param access who may connect
   * @param group of epoll loops; must outlive the server
   * @param memory where the data of writes come from
   * @param clientGone called on the event loop whenever a client that could write was refused a
   *     request, or has gone, also by {@link #close}; the export gets nothing of one that has gone
   *     afterwards. Must not block
   * @throws IOException when the socket cannot be made, also because another agent serves it
   */
  public static NbdServer listen(
      Path socket,
      Access access,
      Export export,
      EventLoopGroup group,
      ByteBufAllocator memory,
      Runnable clientGone)
      throws IOException {
    return listen(socket, access, export, group, memory, clientGone, NbdLimits.DEFAULT);
  }

  static NbdServer listen(
      Path socket,
      Access access,
      Export export,
      EventLoopGroup group,
      ByteBufAllocator memory,
      Runnable clientGone,
      NbdLimits limits)
      throws IOException {
    NbdServer server =
        new NbdServer(
            new SocketFile(socket, access, "unprotect the VM and protect it again"),
            group.next(),
            new Seat(clientGone));
    server.bind(export, memory, limits);
    return server;
  }

  /**
   * Takes the socket away and disconnects the client; what it waits for is refused. Waits until
   * that is done, so it must not be called on an event loop of the group. The export may still
   * reply to what it got.
   */
  @Override
  public void close() throws IOException {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    try {
      file.remove();
    } finally {
      listener.close().awaitUninterruptibly();
      loop.submit(seat::clear).awaitUninterruptibly();
      clients.close().awaitUninterruptibly();
    }
  }

  private void bind(Export export, ByteBufAllocator memory, NbdLimits limits) throws IOException {
    Path bound = file.prepare();
    ChannelFuture listening =
        new ServerBootstrap()
            .group(loop)
            .channel(EpollServerDomainSocketChannel.class)
            .childOption(ChannelOption.ALLOCATOR, memory)
            .childOption(
                ChannelOption.RECVBUF_ALLOCATOR,
                new AdaptiveRecvByteBufAllocator(
                    LEAST_READ_BYTES, LEAST_READ_BYTES, MOST_READ_BYTES))
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    accept(channel, export, limits);
                  }
                })
            .bind(new DomainSocketAddress(bound.toString()))
            .awaitUninterruptibly();
    if (!listening.isSuccess()) {
      throw new IOException("the disk's socket " + bound + " cannot be made", listening.cause());
    }
    listener = listening.channel();
    try {
      file.publish();
    } catch (IOException | RuntimeException e) {
      listener.close().awaitUninterruptibly();
      throw e;
    }
  }

  private void accept(Channel channel, Export export, NbdLimits limits) {
    if (clients.size() == MOST_CLIENTS) {
      channel.close();
      return;
    }
    clients.add(channel);
    channel
        .pipeline()
        .addLast(
            new FlushConsolidationHandler(REPLIES_AT_ONCE, true),
            new NbdOptionDecoder(limits),
            new NbdHandshake(export, limits, seat));
  }
}
