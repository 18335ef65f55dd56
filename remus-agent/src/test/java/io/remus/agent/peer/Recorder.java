package io.remus.agent.peer;

import io.netty.util.ReferenceCountUtil;
import io.remus.core.wire.Frame;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/**
 * Accepts one connection after another and remembers what it heard. Chunks are released and
 * remembered as bytes.
 */
public final class Recorder implements Acceptor {

  /** One accepted connection. */
  public static final class Heard implements FrameListener {

    public final PeerConnection connection;
    public final List<Frame> frames = new CopyOnWriteArrayList<>();
    public final List<byte[]> chunks = new CopyOnWriteArrayList<>();
    final CompletableFuture<PeerException> closed = new CompletableFuture<>();
    volatile RuntimeException objection;

    Heard(PeerConnection connection) {
      this.connection = connection;
    }

    @Override
    public void onFrame(Frame frame) {
      if (objection != null) {
        ReferenceCountUtil.release(frame);
        throw objection;
      }
      if (frame instanceof Frame.Chunk chunk) {
        byte[] data = new byte[chunk.bytes()];
        chunk.data().readBytes(data);
        chunk.release();
        chunks.add(data);
      } else {
        frames.add(frame);
      }
    }

    @Override
    public void onClosed(PeerException cause) {
      if (!closed.complete(cause)) {
        throw new AssertionError("closed twice");
      }
    }

    public PeerException cause() throws Exception {
      return closed.get(30, TimeUnit.SECONDS);
    }
  }

  public final List<Heard> accepted = new CopyOnWriteArrayList<>();

  @Override
  public FrameListener opened(PeerConnection connection) {
    Heard heard = new Heard(connection);
    accepted.add(heard);
    return heard;
  }
}
