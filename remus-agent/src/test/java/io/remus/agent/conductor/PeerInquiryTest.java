package io.remus.agent.conductor;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.remus.agent.conductor.PeerInquiry.Answer;
import io.remus.agent.peer.Acceptor;
import io.remus.agent.peer.FrameListener;
import io.remus.agent.peer.Loopback;
import io.remus.agent.peer.PeerAddress;
import io.remus.agent.peer.PeerConnection;
import io.remus.agent.peer.PeerException;
import io.remus.core.failover.Role;
import io.remus.core.wire.Frame;
import io.remus.core.wire.Purpose;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real agents on the loopback interface, which answer as a test tells them. */
class PeerInquiryTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final String UUID = "6f1e4a52-0d4e-4c39-9f5d-1f0d6a3c2b11";
  private static final Frame.VmRecord ACTIVE = new Frame.VmRecord(3, Role.ACTIVE);
  private static final Frame.VmRecord STANDBY = new Frame.VmRecord(2, Role.STANDBY);

  @TempDir private Path folder;
  private final ScheduledThreadPoolExecutor clock = new ScheduledThreadPoolExecutor(1);
  private final Further further = new Further();
  private final AtomicInteger greetings = new AtomicInteger();
  private final AtomicInteger refusals = new AtomicInteger();
  private final AtomicInteger reached = new AtomicInteger();
  private Loopback loopback;
  private PeerInquiry inquiry;

  @BeforeEach
  void open() throws Exception {
    loopback = new Loopback(folder);
    inquiry = new PeerInquiry(loopback.dialer(), clock);
  }

  @AfterEach
  void close() throws Exception {
    loopback.close();
    clock.shutdownNow();
  }

  @Test
  void shouldBringTheAnswerAndTheConnectionToGoOnTalkingOver() throws Exception {
    Asked peer = new Asked(STANDBY);

    Answer answer = ask(30_000, loopback.listen(peer)).get(30, SECONDS);

    assertThat(answer.record()).isEqualTo(STANDBY);
    assertThat(peer.queries.poll(30, SECONDS)).isEqualTo(new Frame.Query(UUID));
    PeerConnection asked = peer.connections.poll(30, SECONDS);
    assertThat(asked.purpose()).isEqualTo(Purpose.QUERY);
    asked.sendNow(new Frame.Yield(4));
    assertThat(further.frames.poll(30, SECONDS)).isEqualTo(new Frame.Yield(4));
    asked.close();
    further.closed.get(30, SECONDS);
    assertThat(answer.connection().isOpen()).isFalse();
  }

  @Test
  void shouldTakeTheFirstAnswerAndHangUpOnTheOther() throws Exception {
    Asked slow = new Asked(null);
    Asked quick = new Asked(null);
    CompletableFuture<Answer> asking = ask(30_000, loopback.listen(slow), loopback.listen(quick));
    assertThat(slow.queries.poll(30, SECONDS)).isNotNull();
    PeerConnection winner = quick.connections.poll(30, SECONDS);
    winner.sendNow(ACTIVE);

    Answer answer = asking.get(30, SECONDS);
    PeerConnection loser = slow.connections.poll(30, SECONDS);
    loser.sendNow(STANDBY);

    assertThat(answer.record()).isEqualTo(ACTIVE);
    slow.closed.get(30, SECONDS);
    assertThat(answer.connection().isOpen()).isTrue();
    assertThat(further.frames).isEmpty();
    answer.connection().close();
  }

  @Test
  void shouldBeAnsweredOverTheLivingPathWhenTheOtherIsDead() throws Exception {
    Answer answer =
        ask(30_000, loopback.dead(), loopback.listen(new Asked(ACTIVE))).get(30, SECONDS);

    assertThat(answer.record()).isEqualTo(ACTIVE);
    answer.connection().close();
  }

  @Test
  void shouldFailAtOnceWhenEveryPathIsDead() throws Exception {
    CompletableFuture<Answer> asking = ask(600_000, loopback.dead(), loopback.dead());

    assertThatThrownBy(() -> asking.get(30, SECONDS))
        .cause()
        .isInstanceOf(PeerException.class)
        .hasMessageContaining("nothing listens there");
    assertThat(refusals).as("the host lives, on either path").hasValue(2);
  }

  @Test
  void shouldCallAPeerSilentThatDoesNotGreetWithinTheLimit() throws Exception {
    try (ServerSocket mute = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      CompletableFuture<Answer> asking = ask(200, Loopback.path(mute.getLocalPort()));

      assertThatThrownBy(() -> asking.get(30, SECONDS))
          .cause()
          .isInstanceOf(SocketTimeoutException.class)
          .hasMessage("hv2 did not answer in 200 ms");
      assertThat(reached).as("its host took the connection").hasValue(1);
    }
  }

  @Test
  void shouldWaitForAPeerThatGreetsAndAnswersLate() throws Exception {
    Asked slow = new Asked(null);
    PeerAddress path = loopback.listen(slow);
    // The greeting takes what it takes; so that it is within the limit, the test holds the clock.
    CompletableFuture<Void> greeted = new CompletableFuture<>();
    clock.execute(greeted::join);
    CompletableFuture<Answer> asking = ask(1, path);
    assertThat(slow.queries.poll(30, SECONDS)).isNotNull();
    greeted.complete(null);
    await().atMost(LONG).until(() -> clock.getCompletedTaskCount() == 2);
    assertThat(asking).as("the limit is over").isNotDone();

    PeerConnection connection = slow.connections.poll(30, SECONDS);
    connection.sendNow(ACTIVE);

    assertThat(asking.get(30, SECONDS).record()).isEqualTo(ACTIVE);
    connection.close();
  }

  @Test
  void shouldFailWhenThePeerGreetsAndHangsUp() throws Exception {
    Acceptor rude =
        connection -> {
          connection.close();
          return FrameListeners.DEAF;
        };

    assertThatThrownBy(() -> ask(600_000, loopback.listen(rude)).get(30, SECONDS))
        .cause()
        .as("it lives; nothing may be concluded")
        .isInstanceOf(PeerInquiry.UnansweredException.class);
    assertThat(greetings).hasValue(1);
    assertThat(further.closed).as("there was no answer to go on from").isNotDone();
  }

  private CompletableFuture<Answer> ask(long greetLimitMs, PeerAddress... paths) {
    return inquiry.ask(List.of(paths), UUID, greetLimitMs, new Counted(), further);
  }

  private final class Counted implements PeerInquiry.Signs {
    @Override
    public void greeted() {
      greetings.incrementAndGet();
    }

    @Override
    public void reached() {
      reached.incrementAndGet();
    }

    @Override
    public void hostWithoutAgent() {
      refusals.incrementAndGet();
    }
  }

  /** A peer that answers the question, unless the test does. */
  private static final class Asked implements Acceptor {
    final BlockingQueue<Frame> queries = new LinkedBlockingQueue<>();
    final BlockingQueue<PeerConnection> connections = new LinkedBlockingQueue<>();
    final CompletableFuture<PeerException> closed = new CompletableFuture<>();
    private final Frame answer;

    Asked(Frame answer) {
      this.answer = answer;
    }

    @Override
    public FrameListener opened(PeerConnection connection) {
      connections.add(connection);
      return new FrameListener() {
        @Override
        public void onFrame(Frame frame) {
          queries.add(frame);
          if (answer != null) {
            connection.sendNow(answer);
          }
        }

        @Override
        public void onClosed(PeerException cause) {
          closed.complete(cause);
        }
      };
    }
  }

  /** Who hears what follows the answer. */
  private static final class Further implements FrameListener {
    final BlockingQueue<Frame> frames = new LinkedBlockingQueue<>();
    final CompletableFuture<PeerException> closed = new CompletableFuture<>();

    @Override
    public void onFrame(Frame frame) {
      frames.add(frame);
    }

    @Override
    public void onClosed(PeerException cause) {
      closed.complete(cause);
    }
  }
}
