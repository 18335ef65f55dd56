package io.remus.agent.stream;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class CreditTest {
  private final Credit credit = new Credit();

  @Test
  void shouldGiveNoMoreRoomThanThereIs() throws Exception {
    credit.give(100);
    assertThat(credit.take(60)).isTrue();
    assertThat(credit.take(40)).isTrue();

    Taker taker = new Taker(1);

    assertThat(taker.result).isNotDone();
    credit.give(1);
    assertThat(taker.result.get(30, SECONDS)).isTrue();
  }

  @Test
  void shouldWaitUntilThereIsRoomForAll() throws Exception {
    Taker taker = new Taker(10);

    credit.give(9);
    taker.awaitWaiting();
    assertThat(taker.result).isNotDone();

    credit.give(1);
    assertThat(taker.result.get(30, SECONDS)).isTrue();
  }

  @Test
  void shouldWaitUntilAllIsBack() throws Exception {
    credit.give(100);
    credit.take(60);
    Taker taker = new Taker(credit::awaitAllBack);

    credit.give(59);
    taker.awaitWaiting();
    assertThat(taker.result).isNotDone();

    credit.give(1);
    assertThat(taker.result.get(30, SECONDS)).isTrue();
    assertThat(credit.take(100)).isTrue();
  }

  @Test
  void shouldSayThatItWaitsSinceAnythingWasLastGiven() throws Exception {
    assertThat(credit.waitsSinceNs()).isEmpty();
    Taker taker = new Taker(10);
    long before = System.nanoTime();

    credit.give(9);

    taker.awaitWaiting();
    assertThat(credit.waitsSinceNs())
        .hasValueSatisfying(at -> assertThat(at - before).isNotNegative());
    credit.give(1);
    assertThat(taker.result.get(30, SECONDS)).isTrue();
    assertThat(credit.waitsSinceNs()).isEmpty();
  }

  @Test
  void shouldLetAWaitingSenderGoWhenTheConnectionEnds() throws Exception {
    Taker taker = new Taker(10);

    credit.close();

    assertThat(taker.result.get(30, SECONDS)).isFalse();
    assertThat(credit.take(1)).as("from then on").isFalse();
  }

  @Test
  void shouldGiveNothingAfterItsEndEvenWithRoomLeft() throws Exception {
    credit.give(100);
    credit.close();

    assertThat(credit.take(1)).isFalse();
  }

  @Test
  void shouldLetAnInterruptedSenderGo() {
    Taker taker = new Taker(10);

    taker.thread.interrupt();

    assertThatThrownBy(() -> taker.result.get(30, SECONDS))
        .hasCauseInstanceOf(InterruptedException.class);
  }

  /** A thread that waits for room. */
  private final class Taker {
    final CompletableFuture<Boolean> result = new CompletableFuture<>();
    final Thread thread;

    Taker(long bytes) {
      this(() -> credit.take(bytes));
    }

    Taker(Callable<Boolean> wait) {
      thread =
          new Thread(
              () -> {
                try {
                  result.complete(wait.call());
                } catch (Exception e) {
                  result.completeExceptionally(e);
                }
              });
      thread.setDaemon(true);
      thread.start();
      awaitWaiting();
    }

    void awaitWaiting() {
      await().atMost(30, SECONDS).until(() -> thread.getState() == Thread.State.WAITING);
    }
  }
}
