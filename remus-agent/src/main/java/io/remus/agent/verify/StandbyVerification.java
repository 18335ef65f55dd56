package io.remus.agent.verify;

import io.remus.agent.nativeio.MemoryBlock;
import io.remus.agent.nativeio.NativeException;
import io.remus.agent.nativeio.PageHashes;
import io.remus.agent.nativeio.StandbyMemory;
import io.remus.core.epoch.Term;
import io.remus.core.wire.Frame;
import io.remus.core.wire.Frame.MemorySums;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;

/**
 * Hashes a standby's memory between its epochs, a little at a time, so that no ack waits for it;
 * what an epoch writes is hashed again. Its disks are hashed beside that. Owned by the thread that
 * applies epochs.
 */
public final class StandbyVerification implements AutoCloseable {
  private static final int SLICE_PAGES = 256;
  private static final long BREATH_MS = 1;

  /** As long as nothing is asked: what the last epoch wrote is soon hashed again. */
  private static final long REST_MS = 10;

  /** Runs something a while later, on the thread that applies epochs. */
  public interface Later {
    void after(long delayMs, Runnable work);
  }

  private final StandbyMemory memory;
  private final PageHashes hashes;
  private final ReplicaVerification disks;
  private final Term term;
  private final Consumer<Frame> primary;
  private final Later later;
  private boolean hashed;
  private boolean closed;

  /**
   * @param pid process of the standby
   * @param blocks its memory
   * @param memory through which epochs are applied to it
   * @param disks begun; closed here
   * @param primary takes frames for the primary
   */
  public StandbyVerification(
      int pid,
      List<MemoryBlock> blocks,
      StandbyMemory memory,
      ReplicaVerification disks,
      Term term,
      Consumer<Frame> primary,
      Later later)
      throws NativeException {
    this.hashes = new PageHashes(pid, blocks);
    this.memory = memory;
    this.disks = disks;
    this.term = term;
    this.primary = primary;
    this.later = later;
    memory.tell(hashes);
  }

  /** Hashes a slice, and goes on with it until it is closed. */
  public void work() {
    if (closed) {
      return;
    }
    try {
      boolean all = hashes.step(SLICE_PAGES) == 0;
      if (all && !hashed && disks.isNearlyRead()) {
        hashed = true;
        primary.accept(new Frame.Hashed(term.number()));
      }
      later.after(all ? REST_MS : BREATH_MS, this::work);
    } catch (NativeException e) {
      fail(e);
    }
  }

  /**
   * Tells what the standby's memory holds now, and what its disks do as soon as they are there.
   *
   * @throws IOException when nothing can be said of the disks
   */
  public void tell(long epoch) throws IOException {
    if (closed) {
      return;
    }
    try {
      long left = hashes.step(SLICE_PAGES);
      while (left > 0) {
        left = hashes.step(SLICE_PAGES);
      }
      disks.tell(epoch);
      tell(epoch, hashes.sums());
      closeMemory();
    } catch (NativeException e) {
      fail(e);
    }
  }

  private void tell(long epoch, long[] sums) {
    for (int first = 0; first < sums.length; first += MemorySums.MOST) {
      int count = Math.min(MemorySums.MOST, sums.length - first);
      ByteBuffer part = ByteBuffer.allocate(count * Long.BYTES);
      part.asLongBuffer().put(sums, first, count);
      primary.accept(new MemorySums(epoch, first, part));
    }
  }

  private void fail(NativeException why) {
    close();
    primary.accept(new Frame.Unverified(why.getMessage()));
  }

  @Override
  public void close() {
    disks.close();
    closeMemory();
  }

  private void closeMemory() {
    if (!closed) {
      closed = true;
      memory.tell(null);
      hashes.close();
    }
  }
}
