package io.remus.agent.disk.replica;

import io.netty.buffer.ByteBuf;
import java.io.Closeable;
import java.io.IOException;

/**
 * Follows a replica's images, record by record, until an epoch that is chosen meanwhile. The
 * replica never waits for it, and an error of its own is not the replica's.
 *
 * <p>{@link #finish} and {@link #close} belong to whoever asked for it, {@link #endHere} to the
 * replica's owner.
 */
public abstract class ImageFollower implements Closeable {
  private final Applying applying;
  private final FirstFailure failureOfReplica;
  private final long applyBytes;

  // Guarded by the lock of Applying.
  private JournalPlace end = JournalPlace.NOWHERE;
  private boolean passed;
  private IOException failure;
  private boolean detached;

  /**
   * @param applyBytes about how much to apply at once
   */
  ImageFollower(Applying applying, FirstFailure failureOfReplica, long applyBytes) {
    this.applying = applying;
    this.failureOfReplica = failureOfReplica;
    this.applyBytes = applyBytes;
  }

  /** Begins to follow. */
  void begin() throws IOException {
    applying.follow(this);
  }

  /** Work on the images while nobody applies. */
  final <T> T meanwhile(Applying.StillWork<T> work) throws IOException {
    return applying.meanwhile(
        () -> {
          check();
          return work.run();
        });
  }

  /** These records are about to go to the images. Under the lock of Applying. */
  abstract void apply(ByteBuf records) throws IOException;

  /** The images are at the epoch that was chosen. Once, under the lock of Applying. */
  abstract void ended() throws IOException;

  /** What went wrong, for a human. */
  abstract String failed(String why);

  /** Records that end at a byte of a segment go to the images next. Under the lock of Applying. */
  final void apply(ByteBuf records, long segment, long endsAt) {
    if (failure != null) {
      return;
    }
    try {
      if (end.isBehind(segment, endsAt)) {
        apply(records);
      } else {
        pass();
      }
    } catch (IOException e) {
      failure = e;
    }
  }

  private void pass() throws IOException {
    if (!passed) {
      passed = true;
      ended();
    }
  }

  /**
   * This is to end at the last committed epoch. On the replica's own thread, once all that there is
   * to do before was done.
   */
  public final void endHere() throws IOException {
    JournalPlace here = applying.place();
    applying.meanwhile(() -> end = here);
  }

  /**
   * Brings this to the epoch that {@link #endHere} chose; it follows no longer.
   *
   * @throws IOException when it is of no use
   */
  public final void finish() throws IOException {
    boolean there = false;
    while (!there) {
      there = meanwhile(this::reached);
    }
    stop();
  }

  private boolean reached() throws IOException {
    if (!applying.hasApplied(end)) {
      try {
        applying.step(applyBytes);
      } catch (IOException e) {
        failureOfReplica.report(e);
        throw e;
      }
      check();
    }
    boolean there = applying.hasApplied(end);
    if (there) {
      pass();
    }
    return there;
  }

  private void check() throws IOException {
    if (detached) {
      throw new IOException("the replica has other things to do");
    }
    if (failure != null) {
      throw new IOException(failed(failure.getMessage()), failure);
    }
  }

  /** Nothing comes any more, and the images may be gone. Under the lock of Applying. */
  void detached() {
    detached = true;
  }

  /** Follows no longer. */
  final void stop() {
    applying.unfollow(this);
  }
}
