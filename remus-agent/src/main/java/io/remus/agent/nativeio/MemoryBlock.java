package io.remus.agent.nativeio;

import com.sun.jna.Memory;
import java.util.List;

/**
 * A RAM block in the address space of a QEMU process.
 *
 * @param address host virtual address, page aligned
 * @param bytes a multiple of {@link #PAGE}
 */
public record MemoryBlock(long address, long bytes) {
  /** Bytes of a page. */
  public static final int PAGE = 4096;

  /** Pages of all blocks together. */
  public static long pages(List<MemoryBlock> blocks) {
    return blocks.stream().mapToLong(MemoryBlock::bytes).sum() / PAGE;
  }

  static Memory array(List<MemoryBlock> blocks) {
    Memory array = new Memory(16L * blocks.size());
    for (int i = 0; i < blocks.size(); i++) {
      array.setLong(16L * i, blocks.get(i).address());
      array.setLong(16L * i + 8, blocks.get(i).bytes());
    }
    return array;
  }
}
