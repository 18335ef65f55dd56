package io.remus.agent.peer;

import io.netty.channel.ChannelHandlerContext;
import io.remus.agent.peer.PeerException.Reason;
import io.remus.core.wire.Frame;
import io.remus.core.wire.ProtocolException;
import io.remus.core.wire.RefusalCode;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Waits for HELLO and answers it. */
@SuppressWarnings(
    "FutureReturnValueIgnored") // closing cannot fail, and a write that fails ends the connection
final class ServerGreeting extends Greeting {

  private static final Logger log = LoggerFactory.getLogger(ServerGreeting.class);

  private final PeerTransport transport;
  private final Acceptor acceptor;
  private final Lobby lobby;
  private String peer = "a stranger";

  ServerGreeting(PeerTransport transport, Acceptor acceptor, Lobby lobby) {
    super(transport.greetingTimeout());
    this.transport = transport;
    this.acceptor = acceptor;
    this.lobby = lobby;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    peer = "the peer at " + ctx.channel().remoteAddress();
    lobby.enter(ctx.channel());
    super.handlerAdded(ctx);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    lobby.leave(ctx.channel());
    super.handlerRemoved(ctx);
  }

  @Override
  void greeted(ChannelHandlerContext ctx, Frame frame) throws SSLPeerUnverifiedException {
    if (!(frame instanceof Frame.Hello hello)) {
      throw new ProtocolException("the first frame is no HELLO");
    }
    HostNames names = provenNames(ctx);
    if (!names.contain(hello.host())) {
      String message =
          "the caller says it is %s, its certificate is for %s".formatted(hello.host(), names);
      refuse(ctx, Reason.WRONG_NAME, new Frame.Refused(RefusalCode.UNKNOWN_HOST, message));
      return;
    }
    Frame answer = transport.versions().answer(hello, transport.tls().hostName());
    if (answer instanceof Frame.Refused refused) {
      refuse(ctx, Reason.VERSION, refused);
    } else if (answer instanceof Frame.Welcome welcome) {
      ctx.writeAndFlush(welcome);
      done(
          ctx,
          new PeerConnection(ctx.channel(), hello.host(), hello.purpose(), welcome.version()),
          acceptor);
    }
  }

  private void refuse(ChannelHandlerContext ctx, Reason reason, Frame.Refused refused) {
    ctx.writeAndFlush(refused);
    fail(ctx, new PeerException(reason, peer + " was refused: " + refused.message()));
  }

  @Override
  String peer() {
    return peer;
  }

  @Override
  void failed(PeerException cause) {
    switch (cause.reason()) {
      case NOT_TRUSTED, VERSION, WRONG_NAME -> log.warn("{}", cause.getMessage());
      // Port scanners are not worth a line each.
      default -> log.debug("{}", cause.getMessage());
    }
  }
}
