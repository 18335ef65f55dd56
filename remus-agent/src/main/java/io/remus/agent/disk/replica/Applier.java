package io.remus.agent.disk.replica;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * The thread that keeps the images close behind the journal: in batches, so that the forces before
 * them do not become the work.
 */
final class Applier {
  private static final long BATCH_NS = TimeUnit.MILLISECONDS.toNanos(200);
  private static final long MOST_BATCH_BYTES = 32 << 20;
  private static final long LEAST_BATCH_BYTES = 64 << 10;

  private final Applying applying;
  private final Journal journal;
  private final Images images;
  private final FirstFailure failure;
  private final long batchBytes;
  private final Thread thread;
  private boolean closed;

  /**
   * @param limitBytes bound of the journal
   */
  Applier(
      String vm,
      Applying applying,
      Journal journal,
      Images images,
      long limitBytes,
      FirstFailure failure) {
    this.applying = applying;
    this.journal = journal;
    this.images = images;
    this.failure = failure;
    batchBytes = batchBytes(limitBytes);
    thread = new Thread(this::run, "disks-" + vm);
    thread.setDaemon(true);
  }

  /** So much may wait to be applied, and is applied at once. */
  static long batchBytes(long limitBytes) {
    return Math.max(LEAST_BATCH_BYTES, Math.min(MOST_BATCH_BYTES, limitBytes / 16));
  }

  void start() {
    thread.start();
  }

  /** There may be something to do. */
  synchronized void nudge() {
    notifyAll();
  }

  private void run() {
    try {
      while (awaitWork()) {
        applying.step(batchBytes);
      }
    } catch (IOException e) {
      failure.report(e);
    } catch (InterruptedException e) {
      failure.report(new IOException("its applier was interrupted", e));
    } catch (RuntimeException | Error e) {
      failure.report(new IOException("its applier failed: " + e, e));
    }
  }

  private synchronized boolean awaitWork() throws InterruptedException {
    while (!closed) {
      long dueInNs = journal.dueInNs(System.nanoTime(), BATCH_NS, batchBytes);
      if (dueInNs == 0 || images.unforcedBytes() >= Applying.UNFORCED_BYTES) {
        return true;
      }
      if (dueInNs == Long.MAX_VALUE) {
        wait();
      } else {
        TimeUnit.NANOSECONDS.timedWait(this, dueInNs);
      }
    }
    return false;
  }

  /** Ends the thread after the piece it is at. Called by another thread. */
  void close() throws InterruptedException {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    thread.join();
  }
}
