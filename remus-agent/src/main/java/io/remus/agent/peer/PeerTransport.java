package io.remus.agent.peer;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.remus.core.wire.FrameDecoder;
import io.remus.core.wire.FrameEncoder;
import io.remus.core.wire.Limits;
import io.remus.core.wire.Versions;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * What all connections of an agent share: threads and memory.
 *
 * <p>Network memory is direct memory from one arena that grows by 16 MiB at a time, shared by all
 * connections. How much is in use has a bound for each connection: sending, {@link #ROOM} and one
 * chunk, as long as the sender calls {@link PeerConnection#awaitRoom} before each chunk; receiving,
 * the credit that was given to the peer, and one frame.
 */
public final class PeerTransport implements AutoCloseable {

  /**
   * A connection has room for more while less than the high mark waits to be sent, and again below
   * the low one.
   */
  static final WriteBufferWaterMark ROOM = new WriteBufferWaterMark(1 << 20, 4 << 20);

  /** From the TCP connection to the end of the greeting. */
  private static final Duration GREETING_TIMEOUT = Duration.ofSeconds(5);

  /**
   * The kernel gives up a connection whose peer has confirmed nothing for so long. Heartbeats
   * notice much sooner.
   */
  static final int USER_TIMEOUT_MS = 10_000;

  private static final int THREADS = 2;
  private static final int PAGE_BYTES = 8192;
  private static final int GROWTH_ORDER = 11; // 8 KiB << 11 = 16 MiB

  /** The process's network memory. A pool cannot be given back, so there is one for good. */
  private static final ByteBufAllocator ALLOCATOR =
      new PooledByteBufAllocator(true, 0, 1, PAGE_BYTES, GROWTH_ORDER, 0, 0, false);

  /**
   * Without this, the arena would shed and regain (zeroed) memory whenever nothing is in flight:
   * after every epoch.
   */
  @SuppressWarnings("unused")
  private static final ByteBuf ANCHOR = ALLOCATOR.directBuffer(1);

  private final PeerTls tls;
  private final Versions versions;
  private final Duration greetingTimeout;
  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(
          THREADS, new DefaultThreadFactory("remus-peer"), EpollIoHandler.newFactory());

  /** A name server that does not answer must not hold up an event loop. */
  private final ExecutorService resolver =
      Executors.newSingleThreadExecutor(new DefaultThreadFactory("remus-resolver", true));

  public PeerTransport(PeerTls tls) {
    this(tls, Versions.SUPPORTED, GREETING_TIMEOUT);
  }

  PeerTransport(PeerTls tls, Versions versions, Duration greetingTimeout) {
    this.tls = tls;
    this.versions = versions;
    this.greetingTimeout = greetingTimeout;
  }

  /** Where the data of chunks comes from, whether sent or received. */
  public ByteBufAllocator allocator() {
    return ALLOCATOR;
  }

  PeerTls tls() {
    return tls;
  }

  Versions versions() {
    return versions;
  }

  Duration greetingTimeout() {
    return greetingTimeout;
  }

  EventLoopGroup group() {
    return group;
  }

  ExecutorService resolver() {
    return resolver;
  }

  static void addCodec(ChannelPipeline pipeline) {
    pipeline.addLast(new FrameEncoder(Limits.DEFAULT), new FrameDecoder(Limits.DEFAULT));
  }

  /** Closes every connection and waits, a few seconds at most, for the threads to end. */
  @Override
  public void close() {
    resolver.shutdownNow();
    group.shutdownGracefully(0, 3, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
  }
}
