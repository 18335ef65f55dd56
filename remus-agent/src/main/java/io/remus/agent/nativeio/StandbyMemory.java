package io.remus.agent.nativeio;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import io.netty.buffer.ByteBuf;
import java.util.List;

/** The RAM of a standby QEMU, written from outside. Owned by one thread. */
public final class StandbyMemory extends Handle {
  private PageHashes hashes;

  public StandbyMemory(int pid, List<MemoryBlock> blocks) throws NativeException {
    super("open the memory of standby process " + pid, out -> open(pid, blocks, out));
  }

  private static int open(int pid, List<MemoryBlock> blocks, PointerByReference out) {
    try (Memory array = MemoryBlock.array(blocks)) {
      return NativeLibrary.remus_standby_open(pid, array, blocks.size(), out);
    }
  }

  /**
   * Zeroes what QEMU itself wrote at its start, so that a page never sent is zero. Returns pages
   * zeroed.
   */
  public long blank() throws NativeException {
    return NativeException.check("blank", NativeLibrary.remus_standby_blank(pointer()));
  }

  /** Whether untrusted records are well formed and stay within {@code pages}. Any thread. */
  public static boolean wellFormed(ByteBuf records, long pages) {
    Pointer first = new Pointer(records.memoryAddress() + records.readerIndex());
    return NativeLibrary.remus_records_check(first, records.readableBytes(), pages) >= 0;
  }

  /** Writes records, already found well formed, into the RAM. */
  public void apply(ByteBuf records) throws NativeException {
    Pointer first = new Pointer(records.memoryAddress() + records.readerIndex());
    NativeException.check(
        "write the standby's memory",
        NativeLibrary.remus_standby_apply(pointer(), first, records.readableBytes()));
    if (hashes != null) {
      hashes.written(records);
    }
  }

  /**
   * From now on these hashes are told of all that is written.
   *
   * @param told of the same memory; null for none any more
   */
  public void tell(PageHashes told) {
    hashes = told;
  }

  /**
   * Makes pages of a second standby, which was blanked, what they are here. Records that are
   * applied here meanwhile must be applied there, too, before these pages and after them.
   *
   * @param page the first
   * @return pages written; those that are zero are not
   */
  public long copyTo(StandbyMemory other, long page, long count) throws NativeException {
    return NativeException.check(
        "copy the standby's memory",
        NativeLibrary.remus_standby_copy(pointer(), other.pointer(), page, count));
  }

  @Override
  void free(Pointer pointer) {
    NativeLibrary.remus_standby_close(pointer);
  }
}
