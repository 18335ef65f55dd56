package io.remus.core.wire;

/**
 * One block of guest memory. Pages are numbered through all blocks of a VM in the order they are
 * listed.
 *
 * @param name as QEMU calls it, such as {@code pc.ram}
 * @param bytes a positive multiple of 4,096
 */
public record RamBlock(String name, long bytes) {

  public static final int PAGE_BYTES = 4096;

  public RamBlock {
    Check.name("RAM block", name);
    if (bytes <= 0 || bytes % PAGE_BYTES != 0) {
      throw new IllegalArgumentException("RAM block %s has %d bytes".formatted(name, bytes));
    }
  }
}
