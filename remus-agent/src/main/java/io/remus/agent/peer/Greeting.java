package io.remus.agent.peer;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.ssl.SslHandler;
import io.remus.agent.peer.PeerException.Reason;
import io.remus.core.wire.Frame;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLPeerUnverifiedException;

/** What both sides do until they know each other: wait for one frame, and not for ever. */
@SuppressWarnings(
    "FutureReturnValueIgnored") // closing cannot fail, and a write that fails ends the connection
abstract class Greeting extends SimpleChannelInboundHandler<Frame> {

  private final Duration timeout;
  private Future<?> timer;
  private boolean over;

  Greeting(Duration timeout) {
    super(Frame.class);
    this.timeout = timeout;
  }

  /** How messages name the other side. */
  abstract String peer();

  /** The other side has sent its first frame. */
  abstract void greeted(ChannelHandlerContext ctx, Frame frame) throws SSLPeerUnverifiedException;

  /** The greeting failed; called once, the channel is about to be closed. */
  abstract void failed(PeerException cause);

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    timer =
        ctx.executor()
            .schedule(
                () ->
                    fail(
                        ctx,
                        new PeerException(
                            Reason.TIMEOUT,
                            peer() + " was reached and does not greet; see its log")),
                timeout.toNanos(),
                TimeUnit.NANOSECONDS);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    timer.cancel(false);
  }

  @Override
  protected final void channelRead0(ChannelHandlerContext ctx, Frame frame)
      throws SSLPeerUnverifiedException {
    if (!over) {
      greeted(ctx, frame);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable thrown) {
    fail(ctx, Failure.talking(peer(), thrown));
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    fail(
        ctx,
        new PeerException(
            Reason.CLOSED, peer() + " closed the connection during the greeting; see its log"));
  }

  final void fail(ChannelHandlerContext ctx, PeerException cause) {
    if (!over) {
      over = true;
      failed(cause);
      ctx.close();
    }
  }

  /** The greeting went well: the acceptor has the connection from here on. */
  final void done(ChannelHandlerContext ctx, PeerConnection connection, Acceptor acceptor) {
    over = true;
    connection.open(acceptor, ctx);
  }

  /** The names in the certificate that TLS has verified. */
  static HostNames provenNames(ChannelHandlerContext ctx) throws SSLPeerUnverifiedException {
    Certificate[] chain =
        ctx.pipeline().get(SslHandler.class).engine().getSession().getPeerCertificates();
    return new HostNames(chain[0]);
  }
}
