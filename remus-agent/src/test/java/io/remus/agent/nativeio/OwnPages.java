package io.remus.agent.nativeio;

import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;

/** Pages of this very process that play a guest's RAM: a process may look into itself. */
public final class OwnPages {
  private final ByteBuffer bytes;

  public OwnPages(int pages) {
    bytes =
        ByteBuffer.allocateDirect((pages + 1) * MemoryBlock.PAGE)
            .alignedSlice(MemoryBlock.PAGE)
            .slice(0, pages * MemoryBlock.PAGE);
  }

  public static int pid() {
    return (int) ProcessHandle.current().pid();
  }

  /** Where the pages are. */
  public List<MemoryBlock> blocks() {
    long address = Unpooled.wrappedBuffer(bytes).memoryAddress();
    return List.of(new MemoryBlock(address, bytes.capacity()));
  }

  /** Random bytes, the same for the same seed, that no delta makes smaller. */
  public void fill(int page, long seed) {
    byte[] random = new byte[MemoryBlock.PAGE];
    new Random(seed).nextBytes(random);
    bytes.put(page * MemoryBlock.PAGE, random);
  }

  /** Makes a page zero. */
  public void clear(int page) {
    bytes.put(page * MemoryBlock.PAGE, new byte[MemoryBlock.PAGE]);
  }

  /** Writes one byte. */
  public void poke(int page, int offset, int value) {
    bytes.put(page * MemoryBlock.PAGE + offset, (byte) value);
  }

  /** A copy of one page. */
  public byte[] page(int page) {
    byte[] copy = new byte[MemoryBlock.PAGE];
    bytes.get(page * MemoryBlock.PAGE, copy);
    return copy;
  }

  /** A copy of all pages. */
  public byte[] all() {
    byte[] copy = new byte[bytes.capacity()];
    bytes.get(0, copy);
    return copy;
  }
}
