package io.remus.agent.stream;

import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Bytes of chunk data that the backup has room for. A slow backup gives credit back late and so
 * slows the primary instead of filling its own memory. Thread-safe.
 */
public final class Credit {
  private long room;
  private long lent;
  private boolean closed;
  private boolean waiting;
  private long givenAtNs = System.nanoTime();
  private long waitsSinceNs;

  /** More room: what PREPARED grants at first, and every CREDIT after it. */
  public synchronized void give(long bytes) {
    room += bytes;
    lent = Math.max(0, lent - bytes);
    givenAtNs = System.nanoTime();
    notifyAll();
  }

  /** No room will come any more; whoever waits is let go. */
  public synchronized void close() {
    closed = true;
    notifyAll();
  }

  /** When room was last given, on the clock of nanoTime. */
  public synchronized long givenAtNs() {
    return givenAtNs;
  }

  /** Since when somebody waits to no effect, on the clock of nanoTime. */
  public synchronized Optional<Long> waitsSinceNs() {
    return waiting ? Optional.of(Math.max(waitsSinceNs, givenAtNs)) : Optional.empty();
  }

  /**
   * Takes room, waiting for it.
   *
   * @return false when the credit was closed
   */
  synchronized boolean take(long bytes) throws InterruptedException {
    await(() -> room >= bytes);
    room -= bytes;
    lent += bytes;
    return !closed;
  }

  /**
   * Waits until all that was taken was given back: the backup has worked off what was sent.
   *
   * @return false when the credit was closed
   */
  synchronized boolean awaitAllBack() throws InterruptedException {
    await(() -> lent == 0);
    return !closed;
  }

  private void await(BooleanSupplier enough) throws InterruptedException {
    waitsSinceNs = System.nanoTime();
    try {
      while (!enough.getAsBoolean() && !closed) {
        waiting = true;
        wait();
      }
    } finally {
      waiting = false;
    }
  }
}
