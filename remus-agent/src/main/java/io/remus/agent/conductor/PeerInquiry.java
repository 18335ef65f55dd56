package io.remus.agent.conductor;

import io.remus.agent.peer.Acceptor;
import io.remus.agent.peer.FrameListener;
import io.remus.agent.peer.PeerAddress;
import io.remus.agent.peer.PeerConnection;
import io.remus.agent.peer.PeerDialer;
import io.remus.agent.peer.PeerException;
import io.remus.core.wire.Frame;
import io.remus.core.wire.Purpose;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Asks a peer over every path at once what it knows about a VM. A peer that greets is waited for: a
 * living peer's answer decides, and only one that nobody can reach counts as silent.
 */
final class PeerInquiry {
  private static final long ANSWER_LIMIT_MS = 10_000;

  /** What the peer said, and the connection to go on talking over; the asker closes it. */
  record Answer(Frame.VmRecord record, PeerConnection connection) {}

  /** What shows on the way to an answer; on event loops. */
  interface Signs {
    /** Whoever needs the answer only. */
    Signs IGNORED = new Signs() {};

    /** The peer lives. */
    default void greeted() {}

    /** The peer's host lives, but nothing listens there. */
    default void hostWithoutAgent() {}

    /** Something listens there, and may be an agent that has just been started. */
    default void reached() {}
  }

  private final PeerDialer dialer;
  private final ScheduledExecutorService clock;

  PeerInquiry(PeerDialer dialer, ScheduledExecutorService clock) {
    this.dialer = dialer;
    this.clock = clock;
  }

  /** Asks for the answer alone; the asker closes its connection. */
  CompletableFuture<Answer> ask(List<PeerAddress> paths, String uuid, long greetLimitMs) {
    return ask(paths, uuid, greetLimitMs, Signs.IGNORED, FrameListeners.DEAF);
  }

  /**
   * Asks.
   *
   * @param paths every way to the peer
   * @param greetLimitMs how long to wait for a path to answer at all
   * @param signs told what is known of the peer before it answers
   * @param further told of frames after the answer
   * @return fails with an {@link UnansweredException} when the peer lives and does not answer, with
   *     another exception when no path leads to it
   */
  CompletableFuture<Answer> ask(
      List<PeerAddress> paths, String uuid, long greetLimitMs, Signs signs, FrameListener further) {
    String peer = paths.get(0).name();
    Inquiry inquiry = new Inquiry(peer, uuid, signs, further, paths.size());
    for (PeerAddress path : paths) {
      dialer
          .dial(path, Purpose.QUERY, inquiry.new Path())
          .whenComplete(
              (connection, failure) -> {
                if (failure != null) {
                  inquiry.pathFailed(failure);
                }
              });
    }
    clock.schedule(
        () -> inquiry.giveUpUnlessGreeted(peer, greetLimitMs), greetLimitMs, TimeUnit.MILLISECONDS);
    clock.schedule(
        () ->
            inquiry.result.completeExceptionally(
                new UnansweredException(peer + " lives but did not answer")),
        greetLimitMs + ANSWER_LIMIT_MS,
        TimeUnit.MILLISECONDS);
    return inquiry.result;
  }

  /** The peer lives, but has not said what it knows. Nothing may be concluded from that. */
  static final class UnansweredException extends IOException {
    private static final long serialVersionUID = 1L;

    UnansweredException(String message) {
      super(message);
    }
  }

  /** One question over several paths: the first record is the answer. */
  private static final class Inquiry {
    private final CompletableFuture<Answer> result = new CompletableFuture<>();
    private final String peer;
    private final String uuid;
    private final FrameListener further;
    private final AtomicInteger pathsLeft;
    private final Signs signs;
    private volatile boolean greeted;

    Inquiry(String peer, String uuid, Signs signs, FrameListener further, int paths) {
      this.peer = peer;
      this.uuid = uuid;
      this.signs = signs;
      this.further = further;
      this.pathsLeft = new AtomicInteger(paths);
    }

    void pathFailed(Throwable cause) {
      if (Causes.root(cause) instanceof PeerException peerFailed
          && peerFailed.reason() == PeerException.Reason.CONNECTION_REFUSED) {
        signs.hostWithoutAgent();
      }
      if (pathsLeft.decrementAndGet() == 0) {
        result.completeExceptionally(
            greeted ? new UnansweredException(peer + " lives but hung up") : cause);
      }
    }

    void giveUpUnlessGreeted(String peer, long limitMs) {
      if (!greeted) {
        result.completeExceptionally(
            new SocketTimeoutException(peer + " did not answer in " + limitMs + " ms"));
      }
    }

    /** Both roles of one path, all on its event loop. */
    final class Path implements Acceptor, FrameListener {
      private PeerConnection connection;
      private boolean answered;

      @Override
      public void reached() {
        signs.reached();
      }

      @Override
      public FrameListener opened(PeerConnection made) {
        connection = made;
        greeted = true;
        signs.greeted();
        if (result.isDone()) {
          made.close();
        } else {
          result.whenComplete(
              (answer, failure) -> {
                if (failure != null) {
                  made.close();
                }
              });
          made.sendNow(new Frame.Query(uuid));
        }
        return this;
      }

      @Override
      public void onFrame(Frame frame) {
        if (answered) {
          further.onFrame(frame);
        } else if (frame instanceof Frame.Refused refused) {
          result.completeExceptionally(
              new UnansweredException(peer + " refuses to answer: " + refused.message()));
        } else if (frame instanceof Frame.VmRecord record) {
          answered = true;
          if (!result.complete(new Answer(record, connection))) {
            connection.close();
          }
        }
      }

      @Override
      public void onClosed(PeerException cause) {
        if (answered) {
          further.onClosed(cause);
        } else {
          pathFailed(cause);
        }
      }
    }
  }
}
