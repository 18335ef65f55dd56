package io.remus.agent.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollDomainDatagramChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainDatagramPacket;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.CharsetUtil;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SystemdNotifyTest {
  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
  private final BlockingQueue<String> received = new LinkedBlockingQueue<>();

  @TempDir Path directory;

  @AfterEach
  void stop() {
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }

  @Test
  void shouldTellSystemdThroughASocketFile() throws Exception {
    String path = directory.resolve("notify").toString();
    listen(path);

    try (SystemdNotify systemd = SystemdNotify.to(path, group)) {
      systemd.status("protecting\ntwo VMs");
      systemd.ready();
      systemd.stopping();
    }

    assertThat(next()).isEqualTo("STATUS=protecting two VMs");
    assertThat(next()).isEqualTo("READY=1");
    assertThat(next()).isEqualTo("STOPPING=1");
  }

  @Test
  void shouldTellSystemdThroughAnAbstractSocket() throws Exception {
    String name = "remus-test-" + UUID.randomUUID();
    listen("\0" + name);

    try (SystemdNotify systemd = SystemdNotify.to("@" + name, group)) {
      systemd.ready();
    }

    assertThat(next()).isEqualTo("READY=1");
  }

  @Test
  void shouldDoNothingWithoutSystemd() {
    assertThatCode(
            () -> {
              try (SystemdNotify systemd = SystemdNotify.to(null, group)) {
                systemd.ready();
              }
            })
        .doesNotThrowAnyException();
  }

  @Test
  void shouldNotFailTheAgentWhenNobodyListens() {
    assertThatCode(
            () -> {
              String path = directory.resolve("nobody").toString();
              try (SystemdNotify systemd = SystemdNotify.to(path, group)) {
                systemd.ready();
              }
            })
        .doesNotThrowAnyException();
  }

  private Channel listen(String path) {
    return new Bootstrap()
        .group(group)
        .channel(EpollDomainDatagramChannel.class)
        .handler(
            new SimpleChannelInboundHandler<DomainDatagramPacket>() {
              @Override
              protected void channelRead0(ChannelHandlerContext context, DomainDatagramPacket p) {
                received.add(p.content().toString(CharsetUtil.UTF_8));
              }
            })
        .bind(new DomainSocketAddress(path))
        .syncUninterruptibly()
        .channel();
  }

  private String next() throws InterruptedException {
    return received.poll(30, TimeUnit.SECONDS);
  }
}
