package io.remus.agent.commit;

import io.netty.buffer.ByteBuf;
import io.remus.agent.nativeio.MemoryBlock;
import io.remus.agent.nativeio.NativeException;
import io.remus.agent.nativeio.StandbyMemory;
import java.util.List;

/**
 * The RAM of a clone, on its way to be what the standby's is: it gets every epoch that the standby
 * gets, and between them, slice by slice, what was there before. An error of the clone's is kept
 * for whoever feeds it and is none of the standby's. Owned by the committer's thread.
 */
public final class MemoryCopy {
  /** 4 MiB: what is copied without looking whether an epoch waits. Some milliseconds. */
  private static final long SLICE_PAGES = 1024;

  private final StandbyMemory clone;
  private final long pages;
  private long next;
  private NativeException failure;
  private volatile long copiedBytes;

  /**
   * @param clone blanked; stays the caller's
   * @param blocks of the clone
   */
  public MemoryCopy(StandbyMemory clone, List<MemoryBlock> blocks) {
    this.clone = clone;
    this.pages = MemoryBlock.pages(blocks);
  }

  void apply(ByteBuf records) {
    if (failure == null) {
      try {
        clone.apply(records);
      } catch (NativeException e) {
        failure = e;
      }
    }
  }

  /** Copies the next slice; pages that take no time do not count. Returns whether there is more. */
  boolean slice(StandbyMemory standby) throws NativeException {
    if (failure != null) {
      throw failure;
    }
    for (long written = 0; next < pages && written < SLICE_PAGES; next += SLICE_PAGES) {
      written += standby.copyTo(clone, next, Math.min(SLICE_PAGES, pages - next));
    }
    copiedBytes = Math.min(next, pages) * MemoryBlock.PAGE;
    return next < pages;
  }

  /** Bytes of RAM that were gone through. Any thread. */
  public long copiedBytes() {
    return copiedBytes;
  }
}
