package io.remus.core.wire;

/** What a chunk's data is. */
public enum ChunkKind {
  /** Page records, see docs/protocol.md. */
  PAGES(1),
  /** Device state as QEMU wrote it, in pieces. */
  DEVICE_STATE(2),
  /** Writes to disks, see {@link DiskRecords}. */
  DISK(3);

  private final int number;

  ChunkKind(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }

  static ChunkKind of(int number) {
    for (ChunkKind kind : values()) {
      if (kind.number == number) {
        return kind;
      }
    }
    throw new ProtocolException("no chunk is of kind " + number);
  }
}
