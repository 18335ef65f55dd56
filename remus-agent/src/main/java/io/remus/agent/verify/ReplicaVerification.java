package io.remus.agent.verify;

import io.remus.agent.disk.replica.HashSink;
import io.remus.agent.disk.replica.ImageHashes;
import io.remus.core.wire.Frame;
import java.io.IOException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Hashes a standby's disks on a thread of its own, so that no epoch waits for it, and tells what
 * they are at one epoch. Owned by the thread that applies epochs.
 */
public final class ReplicaVerification implements AutoCloseable {
  /** What an epoch has written may wait so long for its new hash. */
  private static final long REST_NS = 10_000_000;

  /** Takes what is told, and waits while the connection is full. */
  public interface Primary {
    void accept(Frame frame) throws IOException;
  }

  private final Primary primary;
  private final Consumer<String> failed;
  private final Thread thread;

  /** Null when there is nothing to tell any more. */
  private volatile ImageHashes hashes;

  private volatile long epoch;
  private volatile boolean nearlyRead;
  private volatile boolean closed;

  /**
   * @param hashes none made yet; null when there are no disks
   * @param failed told why no answer will come, on a thread of its own
   */
  public ReplicaVerification(
      String vm, ImageHashes hashes, Primary primary, Consumer<String> failed) {
    this.hashes = hashes;
    this.primary = primary;
    this.failed = failed;
    thread = new Thread(this::run, "hashes-" + vm);
    thread.setDaemon(true);
    nearlyRead = hashes == null;
    if (hashes != null) {
      thread.start();
    }
  }

  private void run() {
    try (ImageHashes following = hashes) {
      while (epoch == 0 && !closed) {
        step(following);
      }
      if (!closed) {
        following.finish();
        HashSink sink = blocks -> primary.accept(new Frame.DiskHashes(epoch, blocks));
        following.tell(sink);
      }
    } catch (IOException | RuntimeException e) {
      if (!closed) {
        failed.accept(e.getMessage());
      }
    } finally {
      hashes = null;
    }
  }

  /** Rests as long as it works: the disk is the epochs' first. */
  private void step(ImageHashes following) throws IOException {
    long sinceNs = System.nanoTime();
    boolean more = following.step();
    nearlyRead |= !more;
    LockSupport.parkNanos(this, more ? System.nanoTime() - sinceNs : REST_NS);
  }

  /** All was read once; what was written since is little. Any thread. */
  boolean isNearlyRead() {
    return nearlyRead;
  }

  /** Tells what the disks are at this epoch, the last committed one, as soon as that is known. */
  void tell(long atEpoch) throws IOException {
    ImageHashes following = hashes;
    if (following != null) {
      following.endHere();
      epoch = atEpoch;
      LockSupport.unpark(thread);
    }
  }

  /** Tells nothing more. */
  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    ImageHashes following = hashes;
    if (following != null) {
      following.close();
    }
  }
}
