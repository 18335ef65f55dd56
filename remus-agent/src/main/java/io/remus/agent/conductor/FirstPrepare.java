package io.remus.agent.conductor;

import io.netty.util.ReferenceCountUtil;
import io.remus.agent.peer.FrameListener;
import io.remus.agent.peer.PeerConnection;
import io.remus.agent.peer.PeerException;
import io.remus.core.wire.Frame;
import io.remus.core.wire.ProtocolException;
import java.util.function.BiFunction;

/**
 * Hears a connection that wants to replicate until it says which VM; then another listener does.
 */
final class FirstPrepare implements FrameListener {
  private final PeerConnection connection;
  private final BiFunction<Frame.Prepare, PeerConnection, FrameListener> taker;
  private FrameListener next;

  FirstPrepare(
      PeerConnection connection, BiFunction<Frame.Prepare, PeerConnection, FrameListener> taker) {
    this.connection = connection;
    this.taker = taker;
  }

  @Override
  public void onFrame(Frame frame) {
    if (next != null) {
      next.onFrame(frame);
    } else if (frame instanceof Frame.Prepare prepare) {
      next = taker.apply(prepare, connection);
    } else if (!(frame instanceof Frame.Heartbeat)) {
      ReferenceCountUtil.release(frame);
      throw new ProtocolException(
          frame.getClass().getSimpleName() + " came where PREPARE was expected");
    }
  }

  @Override
  public void onClosed(PeerException cause) {
    if (next != null) {
      next.onClosed(cause);
    }
  }
}
