package io.remus.agent.nativeio;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.netty.buffer.ByteBuf;

/** Turns an arena's pages into page records, leaving out what the standby has already. */
public final class Encoder extends Handle {
  private final Memory counts = new Memory(40);

  /**
   * @param cacheBytes bound on the copies of pages as last sent
   */
  public Encoder(long cacheBytes) throws NativeException {
    super(
        "reserve a delta cache of " + cacheBytes + " bytes",
        out -> NativeLibrary.remus_encoder_create(cacheBytes, out));
    counts.clear();
  }

  /** Forgets what was sent: the next standby has none of it. */
  public void reset() {
    NativeLibrary.remus_encoder_reset(pointer());
  }

  /**
   * Appends records of the arena's next pages.
   *
   * @param out a buffer outside the heap with at least 8 KiB of room
   * @param skipZero leave zero pages out altogether, for a fresh standby
   * @param pack pack the records where that makes them less; they are then all of a chunk
   * @return false when the arena is used up
   */
  public boolean encode(Arena arena, ByteBuf out, boolean skipZero, boolean pack)
      throws NativeException {
    Pointer room = new Pointer(out.memoryAddress() + out.writerIndex());
    long bytes =
        NativeException.check(
            "encode",
            NativeLibrary.remus_encode(
                pointer(),
                arena.pointer(),
                room,
                out.writableBytes(),
                skipZero ? 1 : 0,
                pack ? 1 : 0,
                counts));
    out.writerIndex(out.writerIndex() + (int) bytes);
    return bytes > 0;
  }

  /** Pages so far that were all zero. */
  public long zeroPages() {
    return counts.getLong(0);
  }

  /** Pages so far that were written with what they held already. */
  public long unchangedPages() {
    return counts.getLong(8);
  }

  /** Pages so far sent as changed bytes. */
  public long patchedPages() {
    return counts.getLong(16);
  }

  /** Pages so far sent whole. */
  public long fullPages() {
    return counts.getLong(24);
  }

  /** Bytes of records so far, before they were packed. */
  public long recordBytes() {
    return counts.getLong(32);
  }

  @Override
  void free(Pointer pointer) {
    NativeLibrary.remus_encoder_destroy(pointer);
    counts.close();
  }
}
