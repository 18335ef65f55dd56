package io.remus.agent.peer;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.remus.agent.peer.PeerException.Reason;
import io.remus.core.wire.Frame;
import io.remus.core.wire.ProtocolException;
import io.remus.core.wire.Purpose;
import io.remus.core.wire.RefusalCode;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLPeerUnverifiedException;

/** Makes sure that the right host was reached, says HELLO and waits for the answer. */
@SuppressWarnings(
    "FutureReturnValueIgnored") // closing cannot fail, and a write that fails ends the connection
final class ClientGreeting extends Greeting {

  private final PeerTransport transport;
  private final PeerAddress peer;
  private final Purpose purpose;
  private final Acceptor acceptor;
  private final CompletableFuture<PeerConnection> result;

  ClientGreeting(
      PeerTransport transport,
      PeerAddress peer,
      Purpose purpose,
      Acceptor acceptor,
      CompletableFuture<PeerConnection> result) {
    super(transport.greetingTimeout());
    this.transport = transport;
    this.peer = peer;
    this.purpose = purpose;
    this.acceptor = acceptor;
    this.result = result;
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event)
      throws SSLPeerUnverifiedException {
    if (event instanceof SslHandshakeCompletionEvent handshake && handshake.isSuccess()) {
      HostNames names = provenNames(ctx);
      if (names.contain(peer.name())) {
        ctx.writeAndFlush(
            new Frame.Hello(transport.versions(), purpose, transport.tls().hostName()));
      } else {
        fail(
            ctx,
            new PeerException(
                Reason.WRONG_NAME,
                "%s has a certificate for %s; check the address, or issue a certificate for %s"
                    .formatted(peer, names, peer.name())));
      }
    }
  }

  @Override
  void greeted(ChannelHandlerContext ctx, Frame frame) {
    if (frame instanceof Frame.Welcome welcome) {
      welcome(ctx, welcome);
    } else if (frame instanceof Frame.Refused refused) {
      Reason reason = refused.code() == RefusalCode.VERSION ? Reason.VERSION : Reason.REFUSED;
      fail(
          ctx,
          new PeerException(
              reason, "%s refused the connection: %s".formatted(peer, refused.message())));
    } else {
      throw new ProtocolException("the answer to HELLO is neither WELCOME nor REFUSED");
    }
  }

  private void welcome(ChannelHandlerContext ctx, Frame.Welcome welcome) {
    if (welcome.version() < transport.versions().lowest()
        || welcome.version() > transport.versions().highest()) {
      throw new ProtocolException(
          "WELCOME to version " + welcome.version() + ", which was not offered");
    }
    PeerConnection connection =
        new PeerConnection(ctx.channel(), peer.name(), purpose, welcome.version());
    done(ctx, connection, acceptor);
    result.complete(connection);
  }

  @Override
  String peer() {
    return peer.toString();
  }

  @Override
  void failed(PeerException cause) {
    result.completeExceptionally(cause);
  }
}
