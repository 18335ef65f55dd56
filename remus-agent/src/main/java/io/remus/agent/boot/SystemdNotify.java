package io.remus.agent.boot;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.EpollDomainDatagramChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.CharsetUtil;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells systemd how the agent is, after sd_notify(3): datagrams to the unix socket that {@code
 * $NOTIFY_SOCKET} names. Without that variable every call does nothing.
 *
 * <p>A message that cannot be delivered is logged and is no failure of the agent.
 */
public final class SystemdNotify implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SystemdNotify.class);

  private final Channel channel;

  private SystemdNotify(Channel channel) {
    this.channel = channel;
  }

  /**
   * Prepares to notify.
   *
   * @param notifySocket value of {@code $NOTIFY_SOCKET}: a path, or {@code @} and an abstract name;
   *     null or empty when there is no systemd
   * @param group an epoll group, the caller's own
   */
  public static SystemdNotify to(String notifySocket, EventLoopGroup group) {
    if (notifySocket == null || notifySocket.isEmpty()) {
      return new SystemdNotify(null);
    }
    String path = notifySocket.startsWith("@") ? "\0" + notifySocket.substring(1) : notifySocket;
    ChannelFuture connected =
        new Bootstrap()
            .group(group)
            .channel(EpollDomainDatagramChannel.class)
            .handler(new ChannelInboundHandlerAdapter())
            .connect(new DomainSocketAddress(path))
            .awaitUninterruptibly();
    if (!connected.isSuccess()) {
      LOG.warn("systemd cannot be told anything: {}", connected.cause().toString());
      return new SystemdNotify(null);
    }
    return new SystemdNotify(connected.channel());
  }

  /** The agent serves. */
  public void ready() {
    send("READY=1");
  }

  /** The agent drains and will end. */
  public void stopping() {
    send("STOPPING=1");
  }

  /** One line for {@code systemctl status}. */
  public void status(String line) {
    send("STATUS=" + line.replace('\n', ' '));
  }

  @Override
  public void close() {
    if (channel != null) {
      channel.close().syncUninterruptibly();
    }
  }

  private void send(String message) {
    if (channel == null) {
      return;
    }
    channel
        .writeAndFlush(Unpooled.copiedBuffer(message, CharsetUtil.UTF_8))
        .addListener(
            sent -> {
              if (!sent.isSuccess()) {
                LOG.warn("systemd was not told {}: {}", message, sent.cause().toString());
              }
            });
  }
}
