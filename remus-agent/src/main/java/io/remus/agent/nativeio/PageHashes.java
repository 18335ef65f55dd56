package io.remus.agent.nativeio;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import io.netty.buffer.ByteBuf;
import java.util.List;

/**
 * What the RAM of a QEMU process holds, as one 64-bit sum for each MiB of a block, made while it is
 * written and kept right by what is known to be written. Owned by one thread.
 */
public final class PageHashes extends Handle {
  /** Bytes that one sum is of; the last of a block is of what is left of it. */
  public static final int SUM_BYTES = 256 * MemoryBlock.PAGE;

  private final Memory sums;

  public PageHashes(int pid, List<MemoryBlock> blocks) throws NativeException {
    super("hash the memory of process " + pid, out -> open(pid, blocks, out));
    sums = new Memory(Long.BYTES * blocks.stream().mapToLong(PageHashes::sumsOf).sum());
  }

  private static int open(int pid, List<MemoryBlock> blocks, PointerByReference out) {
    try (Memory array = MemoryBlock.array(blocks)) {
      return NativeLibrary.remus_hashes_open(pid, array, blocks.size(), out);
    }
  }

  private static long sumsOf(MemoryBlock block) {
    return (block.bytes() + SUM_BYTES - 1) / SUM_BYTES;
  }

  /**
   * Hashes at most this many pages that were not hashed since they were written. Returns how many
   * are left.
   */
  public long step(long pages) throws NativeException {
    return NativeException.check("hash pages", NativeLibrary.remus_hashes_step(pointer(), pages));
  }

  /** Takes the arena's pages for what the RAM held at the end of their epoch. */
  public void captured(Arena arena) {
    NativeLibrary.remus_hashes_arena(pointer(), arena.pointer());
  }

  /** The pages of these well-formed records have to be hashed again. */
  void written(ByteBuf records) throws NativeException {
    Pointer first = new Pointer(records.memoryAddress() + records.readerIndex());
    NativeException.check(
        "note what was written",
        NativeLibrary.remus_hashes_records(pointer(), first, records.readableBytes()));
  }

  /** The sums of all blocks, in their order. */
  public long[] sums() throws NativeException {
    long count =
        NativeException.check(
            "take sums",
            NativeLibrary.remus_hashes_sums(pointer(), sums, sums.size() / Long.BYTES));
    return sums.getLongArray(0, (int) count);
  }

  @Override
  void free(Pointer pointer) {
    NativeLibrary.remus_hashes_close(pointer);
    sums.close();
  }
}
