package io.remus.agent.primary;

import io.remus.agent.capture.EpochCapture;
import java.io.IOException;
import java.util.concurrent.locks.LockSupport;

/**
 * Slows a guest that dirties pages faster than the link carries them: holds it still for a part of
 * every period while another thread copies and sends. Nothing is skipped, the guest gets less time.
 */
final class Brake implements AutoCloseable {
  private static final long PERIOD_NS = 25_000_000;

  private final EpochCapture capture;
  private final double part;
  private final Thread thread;
  private volatile boolean released;
  private volatile Throwable failure;

  /**
   * Pulls the brake.
   *
   * @param part of the time that the guest is held, 0 to 1; 0 holds nothing
   */
  Brake(EpochCapture capture, double part, String vm) {
    this.capture = capture;
    this.part = part;
    thread = new Thread(this::run, "brake-" + vm);
    thread.setDaemon(true);
    if (part > 0) {
      thread.start();
    }
  }

  private void run() {
    try {
      while (!released) {
        hold(capture, part);
      }
    } catch (IOException | RuntimeException | Error e) {
      failure = e;
    }
  }

  /** Holds the guest for a part of one period; an unpark ends the other part. */
  static void hold(EpochCapture capture, double part) throws IOException {
    long holdNs = (long) (PERIOD_NS * part);
    capture.brake(holdNs);
    LockSupport.parkNanos(PERIOD_NS - holdNs);
  }

  /** Lets the brake go; the guest runs freely when this returns. */
  @Override
  public void close() throws IOException {
    released = true;
    if (part > 0) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while the guest was slowed", e);
      }
    }
    if (failure != null) {
      throw new IOException("the guest cannot be slowed: " + failure.getMessage(), failure);
    }
  }
}
