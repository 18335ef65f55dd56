package io.remus.agent.conductor;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LaneTest {
  private final Lane lane = new Lane("ledger");

  @AfterEach
  void close() {
    lane.close();
  }

  @Test
  void shouldDoWorkInItsOrderOnOneThread() throws Exception {
    List<Integer> done = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      int number = i;
      assertThat(
              lane.execute(
                  () -> {
                    done.add(number);
                    threads.add(Thread.currentThread());
                  }))
          .isTrue();
    }
    awaitQueued();

    assertThat(done).containsExactlyElementsOf(IntStream.range(0, 1_000).boxed().toList());
    assertThat(threads).containsOnly(threads.get(0));
    assertThat(threads.get(0).getName()).isEqualTo("lane-ledger");
    assertThat(threads.get(0).isDaemon()).isTrue();
  }

  @Test
  void shouldSurviveAFailure() throws Exception {
    lane.execute(
        () -> {
          throw new IllegalStateException("a failure that the test wants to see in the log");
        });

    awaitQueued();
  }

  @Test
  void shouldDoWorkLater() throws Exception {
    CompletableFuture<String> later = new CompletableFuture<>();
    lane.after(1, () -> later.complete(Thread.currentThread().getName()));

    assertThat(later.get(30, SECONDS)).isEqualTo("lane-ledger");
  }

  @Test
  void shouldFinishWhatIsQueuedAndDropWhatComesAfterItsEnd() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    CompletableFuture<Void> queued = new CompletableFuture<>();
    CompletableFuture<Void> late = new CompletableFuture<>();
    CompletableFuture<Thread> thread = new CompletableFuture<>();
    lane.execute(
        () -> {
          thread.complete(Thread.currentThread());
          await(go);
        });
    lane.execute(() -> queued.complete(null));

    lane.close();
    assertThat(lane.execute(() -> late.complete(null))).isFalse();
    lane.after(0, () -> late.complete(null));
    go.countDown();

    queued.get(30, SECONDS);
    thread.get().join(30_000);
    assertThat(thread.get().isAlive()).isFalse();
    assertThat(late).as("nothing more").isNotDone();
  }

  @Test
  void shouldNotRunDelayedWorkAfterItsEnd() throws Exception {
    CompletableFuture<Thread> thread = new CompletableFuture<>();
    CompletableFuture<Void> late = new CompletableFuture<>();
    lane.execute(() -> thread.complete(Thread.currentThread()));
    lane.after(60_000, () -> late.complete(null));

    lane.close();

    thread.get(30, SECONDS).join(30_000);
    assertThat(thread.get().isAlive()).as("it does not wait for it either").isFalse();
    assertThat(late).isNotDone();
  }

  private void awaitQueued() throws Exception {
    CompletableFuture<Void> end = new CompletableFuture<>();
    assertThat(lane.execute(() -> end.complete(null))).isTrue();
    end.get(30, SECONDS);
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
