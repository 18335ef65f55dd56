package io.remus.agent.conductor;

import io.netty.util.ReferenceCountUtil;
import io.remus.agent.peer.FrameListener;
import io.remus.agent.peer.PeerException;
import io.remus.core.wire.Frame;

/** Listeners without a state of their own. */
final class FrameListeners {
  /** Of a connection from which nothing is expected any more. */
  static final FrameListener DEAF =
      new FrameListener() {
        @Override
        public void onFrame(Frame frame) {
          ReferenceCountUtil.release(frame);
        }

        @Override
        public void onClosed(PeerException cause) {}
      };

  private FrameListeners() {}
}
