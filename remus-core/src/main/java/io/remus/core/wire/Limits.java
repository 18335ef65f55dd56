package io.remus.core.wire;

/**
 * How much a single frame may hold, in bytes. A frame over its limit is refused by its header,
 * before memory is taken for it.
 *
 * @param chunkBytes data of a CHUNK, without the 13 bytes that say where it belongs
 * @param prepareBytes JSON of a PREPARE
 */
public record Limits(int chunkBytes, int prepareBytes) {

  public static final Limits DEFAULT = new Limits(256 * 1024, 1024 * 1024);

  /** Names of hosts and VMs, in bytes of UTF-8. */
  public static final int NAME_BYTES = 255;

  /** Messages for a human, in bytes of UTF-8. */
  public static final int MESSAGE_BYTES = 4096;

  public Limits {
    if (chunkBytes < 1 || prepareBytes < 1) {
      throw new IllegalArgumentException("a limit is at least 1 byte");
    }
  }
}
