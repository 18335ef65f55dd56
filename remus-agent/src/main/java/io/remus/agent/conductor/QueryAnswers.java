package io.remus.agent.conductor;

import io.netty.util.ReferenceCountUtil;
import io.remus.agent.peer.FrameListener;
import io.remus.agent.peer.PeerConnection;
import io.remus.agent.peer.PeerException;
import io.remus.core.epoch.Term;
import io.remus.core.standby.StandbyEvent;
import io.remus.core.wire.Frame;
import io.remus.core.wire.ProtocolException;

/** Answers a peer that asks about one VM, and takes what it then has to say to the VM's standby. */
final class QueryAnswers implements FrameListener {
  private final PeerConnection connection;
  private final Conductor conductor;
  private String uuid;

  QueryAnswers(PeerConnection connection, Conductor conductor) {
    this.connection = connection;
    this.conductor = conductor;
  }

  @Override
  public void onFrame(Frame frame) {
    if (frame instanceof Frame.Query query) {
      uuid = query.uuid();
      connection.sendNow(conductor.know(uuid));
    } else if (uuid != null && frame instanceof Frame.Stop stop) {
      conductor.tellStandby(uuid, connection, new StandbyEvent.StopReceived(new Term(stop.term())));
    } else if (uuid != null && frame instanceof Frame.Yield yield) {
      conductor.tellStandby(uuid, connection, new StandbyEvent.Yielded(new Term(yield.term())));
    } else {
      ReferenceCountUtil.release(frame);
      throw new ProtocolException(
          frame.getClass().getSimpleName() + " came where QUERY was expected");
    }
  }

  @Override
  public void onClosed(PeerException cause) {}
}
