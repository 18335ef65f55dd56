package io.remus.agent.stream;

import java.util.Optional;

/**
 * Bytes of chunk data that the backup has room for. A slow backup gives credit back late and so
 * slows the primary instead of filling its own memory. Thread-safe.
 */
public final class Credit {
  private long room;
  private boolean closed;
  private Optional<Long> waitsSinceNs = Optional.empty();

  /** More room: what PREPARED grants at first, and every CREDIT after it. */
  public synchronized void give(long bytes) {
    room += bytes;
    notifyAll();
  }

  /** No room will come any more; whoever waits is let go. */
  public synchronized void close() {
    closed = true;
    notifyAll();
  }

  /** Since when somebody waits for room, on the clock of nanoTime. */
  public synchronized Optional<Long> waitsSinceNs() {
    return waitsSinceNs;
  }

  /**
   * Takes room, waiting for it.
   *
   * @return false when the credit was closed
   */
  synchronized boolean take(long bytes) throws InterruptedException {
    if (room < bytes) {
      waitsSinceNs = Optional.of(System.nanoTime());
    }
    try {
      while (room < bytes && !closed) {
        wait();
      }
    } finally {
      waitsSinceNs = Optional.empty();
    }
    room -= bytes;
    return !closed;
  }
}
