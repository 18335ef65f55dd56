package io.remus.agent.conductor;

import io.remus.agent.guest.GuestException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * Performs a machine's actions strictly in order. What must not be skipped is tried again until it
 * succeeds, and nothing behind it is done before. On the lane only.
 *
 * @param <A> the machine's actions
 */
final class Performer<A> {
  private static final long RETRY_MS = 1_000;

  /** What becomes of an action that failed. */
  enum Outcome {
    /** Go on with the next one. */
    SKIP,
    /** Try it again after a while; what comes after it waits. */
    RETRY,
    /** What comes after it makes no sense any more. */
    DROP_REST
  }

  /** Does an action. */
  interface Doer<A> {
    void perform(A action) throws IOException, GuestException;
  }

  /** Decides on a failure; may dispatch further events. */
  interface OnFailure<A> {
    Outcome failed(A action, Throwable why);
  }

  private final Lane lane;
  private final Doer<A> doer;
  private final OnFailure<A> onFailure;
  private final Deque<A> queue = new ArrayDeque<>();
  private boolean busy;

  Performer(Lane lane, Doer<A> doer, OnFailure<A> onFailure) {
    this.lane = lane;
    this.doer = doer;
    this.onFailure = onFailure;
  }

  /** Performs these after those given before. */
  void perform(List<A> actions) {
    queue.addAll(actions);
    if (!busy) {
      drain();
    }
  }

  private void drain() {
    busy = true;
    while (!queue.isEmpty()) {
      A action = queue.removeFirst();
      try {
        doer.perform(action);
      } catch (IOException | GuestException | RuntimeException | Error e) {
        if (isBlockedBy(action, e)) {
          lane.after(RETRY_MS, this::drain);
          return;
        }
      }
    }
    busy = false;
  }

  /** Whether what is queued has to wait. What the failure itself causes comes last. */
  private boolean isBlockedBy(A action, Throwable why) {
    List<A> rest = List.copyOf(queue);
    queue.clear();
    Outcome outcome = onFailure.failed(action, why);
    List<A> caused = List.copyOf(queue);
    queue.clear();
    if (outcome == Outcome.RETRY) {
      queue.add(action);
    }
    if (outcome != Outcome.DROP_REST) {
      queue.addAll(rest);
    }
    queue.addAll(caused);
    return outcome == Outcome.RETRY;
  }
}
