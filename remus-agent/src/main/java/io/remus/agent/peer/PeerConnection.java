package io.remus.agent.peer;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import io.remus.agent.peer.PeerException.Reason;
import io.remus.core.wire.Frame;
import io.remus.core.wire.Purpose;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A connection to another agent, both sides known to each other. Every method may be called from
 * any thread.
 */
@SuppressWarnings(
    "FutureReturnValueIgnored") // closing cannot fail, and a write that fails ends the connection
public final class PeerConnection {

  /**
   * A frame that cannot be sent breaks the connection; on one that is closed already there is
   * nothing to tell.
   */
  private static final ChannelFutureListener CLOSE_ON_FAILURE =
      write -> {
        if (!write.isSuccess() && write.channel().isActive()) {
          write.channel().pipeline().fireExceptionCaught(write.cause());
        }
      };

  private final Channel channel;
  private final String peerName;
  private final Purpose purpose;
  private final int version;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  PeerConnection(Channel channel, String peerName, Purpose purpose, int version) {
    this.channel = channel;
    this.peerName = peerName;
    this.purpose = purpose;
    this.version = version;
  }

  /** The peer's host, as proved by its certificate. */
  public String peerName() {
    return peerName;
  }

  /** What the side that dialled wants. */
  public Purpose purpose() {
    return purpose;
  }

  /** Protocol version both sides agreed on. */
  public int version() {
    return version;
  }

  public boolean isOpen() {
    return channel.isActive();
  }

  /**
   * Puts a frame behind those put before by the same thread. It is sent at the next {@link #flush}
   * at the latest, which makes many frames in a row cheap. Takes a chunk over. On a closed
   * connection the frame is dropped; the listener hears of the end.
   */
  public void send(Frame frame) {
    channel.write(frame).addListener(CLOSE_ON_FAILURE);
  }

  /** Puts a frame and sends it at once, and what was put before. */
  public void sendNow(Frame frame) {
    send(frame);
    flush();
  }

  /** Sends what was put. */
  public void flush() {
    channel.flush();
  }

  /**
   * Waits, off the event loop, until less waits to be sent than the connection holds: a slow link
   * or peer slows its sender here. Flushes when it has to wait.
   *
   * @param deadlineNs by the clock of {@link System#nanoTime}
   * @return whether there is room; {@code false} at the deadline, or at once when the connection is
   *     closed
   */
  public boolean awaitRoom(long deadlineNs) throws InterruptedException {
    if (channel.isWritable()) {
      return true;
    }
    if (channel.eventLoop().inEventLoop()) {
      throw new IllegalStateException("an event loop must not wait for itself");
    }
    channel.flush();
    lock.lock();
    try {
      while (channel.isActive() && !channel.isWritable()) {
        long leftNs = deadlineNs - System.nanoTime();
        if (leftNs <= 0) {
          return false;
        }
        boolean unused = changed.await(leftNs, TimeUnit.NANOSECONDS);
      }
    } finally {
      lock.unlock();
    }
    return channel.isWritable();
  }

  /** Sends what was put, then closes. The listener hears of it. */
  public void close() {
    channel.flush();
    channel.close();
  }

  /** Sends one more frame, then closes. */
  public void close(Frame last) {
    send(last);
    close();
  }

  @Override
  public String toString() {
    return "connection with " + peerName + " to " + purpose;
  }

  /** Makes the acceptor's listener hear the channel; on the event loop. */
  void open(Acceptor acceptor, ChannelHandlerContext greeting) {
    greeting.pipeline().replace(greeting.handler(), null, new Inbound(acceptor.opened(this)));
  }

  private void wakeSenders() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private final class Inbound extends ChannelInboundHandlerAdapter {

    private final FrameListener listener;
    private PeerException cause;

    Inbound(FrameListener listener) {
      this.listener = listener;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      if (cause == null) {
        listener.onFrame((Frame) message);
      } else {
        ReferenceCountUtil.release(message);
      }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
      wakeSenders();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable thrown) {
      if (cause == null) {
        cause = Failure.talking(peerName, thrown);
        ctx.close();
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      wakeSenders();
      listener.onClosed(
          cause != null
              ? cause
              : new PeerException(Reason.CLOSED, "the connection to " + peerName + " was closed"));
    }
  }
}
