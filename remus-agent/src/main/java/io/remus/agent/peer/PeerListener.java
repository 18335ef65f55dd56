package io.remus.agent.peer;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.remus.agent.peer.PeerException.Reason;
import java.net.InetSocketAddress;

/** Accepts connections of other agents. */
public final class PeerListener implements AutoCloseable {

  private final Channel channel;

  private PeerListener(Channel channel) {
    this.channel = channel;
  }

  /**
   * Listens until closed.
   *
   * @param address to listen on, port 0 for any free one
   * @param acceptor gets each connection once its peer is known and welcome
   * @throws PeerException {@link Reason#LISTEN}
   */
  public static PeerListener open(
      PeerTransport transport, InetSocketAddress address, Acceptor acceptor) throws PeerException {
    Lobby lobby = new Lobby();
    ChannelFuture bound =
        new ServerBootstrap()
            .group(transport.group())
            .channel(EpollServerSocketChannel.class)
            .option(ChannelOption.SO_REUSEADDR, true)
            .option(ChannelOption.SO_BACKLOG, 2 * Lobby.SEATS)
            .childOption(ChannelOption.ALLOCATOR, transport.allocator())
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, PeerTransport.ROOM)
            .childOption(ChannelOption.MESSAGE_SIZE_ESTIMATOR, new FrameSizes())
            .childOption(EpollChannelOption.TCP_USER_TIMEOUT, PeerTransport.USER_TIMEOUT_MS)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel accepted) {
                    accepted.pipeline().addLast(transport.tls().serverHandler(accepted.alloc()));
                    PeerTransport.addCodec(accepted.pipeline());
                    accepted.pipeline().addLast(new ServerGreeting(transport, acceptor, lobby));
                  }
                })
            .bind(address)
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new PeerException(
          Reason.LISTEN,
          "cannot listen on %s for other agents: %s".formatted(address, bound.cause().getMessage()),
          bound.cause());
    }
    return new PeerListener(bound.channel());
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return (InetSocketAddress) channel.localAddress();
  }

  /** Accepts no more; connections that are there stay. */
  @Override
  public void close() {
    channel.close().awaitUninterruptibly();
  }
}
