package io.remus.agent.conductor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PerformerTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  private final Lane lane = new Lane("db");
  private final List<String> done = new CopyOnWriteArrayList<>();
  private int failuresLeft;
  private Performer.Outcome outcome = Performer.Outcome.SKIP;
  private final Performer<String> performer =
      new Performer<>(lane, this::perform, (action, why) -> outcome);

  @AfterEach
  void close() {
    lane.close();
  }

  private void perform(String action) throws IOException {
    if (action.equals("fragile") && failuresLeft-- > 0) {
      throw new IOException("not now");
    }
    if (action.equals("nest")) {
      performer.perform(List.of("nested"));
    }
    done.add(action);
  }

  private void give(String... actions) {
    lane.execute(() -> performer.perform(List.of(actions)));
  }

  private void awaitDone(String... actions) {
    await().atMost(LONG).untilAsserted(() -> assertThat(done).containsExactly(actions));
  }

  @Test
  void shouldPerformInTheOrderGiven() {
    give("a", "b");
    give("c");

    awaitDone("a", "b", "c");
  }

  @Test
  void shouldPerformWhatAnActionCausesAfterWhatWasGivenBefore() {
    give("nest", "b");

    awaitDone("nest", "b", "nested");
  }

  @Test
  void shouldGoOnAfterAFailureThatMaySafelyBeSkipped() {
    failuresLeft = 1;
    give("a", "fragile", "b");

    awaitDone("a", "b");
  }

  @Test
  void shouldDoNothingBehindAnActionThatMustNotBeSkippedUntilItSucceeds() {
    failuresLeft = 2;
    outcome = Performer.Outcome.RETRY;
    give("a", "fragile", "b");
    give("c");

    awaitDone("a", "fragile", "b", "c");
  }

  @Test
  void shouldDropWhatMakesNoSenseAfterAFailure() {
    failuresLeft = 1;
    outcome = Performer.Outcome.DROP_REST;
    give("a", "fragile", "b");
    give("c");

    awaitDone("a", "c");
  }

  @Test
  void shouldTreatAnErrorAsAFailure() {
    Performer<String> erring =
        new Performer<>(
            lane,
            action -> {
              throw new AssertionError(action);
            },
            (action, why) -> {
              done.add(why.getMessage());
              return Performer.Outcome.SKIP;
            });
    lane.execute(() -> erring.perform(List.of("x", "y")));

    awaitDone("x", "y");
  }
}
