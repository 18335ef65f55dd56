package io.remus.agent.peer;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.util.NetUtil;
import io.remus.core.wire.Purpose;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.concurrent.CompletableFuture;

/** Connects to other agents. */
public final class PeerDialer {

  private static final int CONNECT_TIMEOUT_MS = 3_000;

  private final PeerTransport transport;

  public PeerDialer(PeerTransport transport) {
    this.transport = transport;
  }

  /**
   * Connects and greets. Never blocks.
   *
   * @param acceptor gets the connection, before the future completes
   * @return the connection, or a {@link PeerException} that says what to do
   */
  public CompletableFuture<PeerConnection> dial(
      PeerAddress peer, Purpose purpose, Acceptor acceptor) {
    CompletableFuture<PeerConnection> result = new CompletableFuture<>();
    InetAddress literal = NetUtil.createInetAddressFromIpAddressString(peer.address());
    if (literal != null) {
      connect(literal, peer, purpose, acceptor, result);
    } else {
      transport.resolver().execute(() -> resolve(peer, purpose, acceptor, result));
    }
    return result;
  }

  private void resolve(
      PeerAddress peer,
      Purpose purpose,
      Acceptor acceptor,
      CompletableFuture<PeerConnection> result) {
    try {
      connect(InetAddress.getByName(peer.address()), peer, purpose, acceptor, result);
    } catch (UnknownHostException e) {
      result.completeExceptionally(Failure.connecting(peer, e));
    }
  }

  private void connect(
      InetAddress address,
      PeerAddress peer,
      Purpose purpose,
      Acceptor acceptor,
      CompletableFuture<PeerConnection> result) {
    ChannelFuture connected =
        new Bootstrap()
            .group(transport.group())
            .channel(EpollSocketChannel.class)
            .option(ChannelOption.ALLOCATOR, transport.allocator())
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MS)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.WRITE_BUFFER_WATER_MARK, PeerTransport.ROOM)
            .option(ChannelOption.MESSAGE_SIZE_ESTIMATOR, new FrameSizes())
            .option(EpollChannelOption.TCP_USER_TIMEOUT, PeerTransport.USER_TIMEOUT_MS)
            .handler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channel.pipeline().addLast(transport.tls().clientHandler(channel.alloc()));
                    PeerTransport.addCodec(channel.pipeline());
                    channel
                        .pipeline()
                        .addLast(new ClientGreeting(transport, peer, purpose, acceptor, result));
                  }
                })
            .connect(new InetSocketAddress(address, peer.port()));
    connected.addListener(
        done -> {
          if (done.isSuccess()) {
            acceptor.reached();
          } else {
            result.completeExceptionally(Failure.connecting(peer, done.cause()));
          }
        });
  }
}
