package io.remus.core.wire;

/**
 * The kinds of frames by number, with the shortest payload each may have. 0 is no frame: a run of
 * zeroes is an error.
 */
enum FrameType {
  HELLO(1, 8),
  WELCOME(2, 5),
  REFUSED(3, 4),
  PREPARE(4, 2),
  PREPARED(5, 8),
  CHUNK(6, ChunkHead.BYTES + 1),
  EPOCH_END(7, 25),
  ACK(8, 16),
  CREDIT(9, 8),
  HEARTBEAT(10, 24),
  STOP(11, 8),
  STOPPED(12, 8),
  CLAIM(13, 8),
  YIELD(14, 8),
  FAILED(15, 2),
  QUERY(16, 38),
  RECORD(17, 25),
  BLOCK_HASHES(18, 9 + Frame.BlockHashes.HASH_BYTES),
  INPUT(19, 1 + Frame.Input.LEAST),
  VERIFY(20, 16),
  HASHED(21, 8),
  VERIFY_EPOCH(22, 8),
  MEMORY_SUMS(23, 16 + Long.BYTES),
  UNVERIFIED(24, 2),
  DISK_HASHES(25, 8 + BLOCK_HASHES.leastBytes);

  private static final FrameType[] BY_NUMBER = new FrameType[256];

  static {
    for (FrameType type : values()) {
      BY_NUMBER[type.number] = type;
    }
  }

  private final int number;
  private final int leastBytes;

  FrameType(int number, int leastBytes) {
    this.number = number;
    this.leastBytes = leastBytes;
  }

  /**
   * @param number of the header, 0 to 255
   */
  static FrameType of(int number) {
    FrameType type = BY_NUMBER[number];
    if (type == null) {
      throw new ProtocolException("no frame has type " + number);
    }
    return type;
  }

  int number() {
    return number;
  }

  int leastBytes() {
    return leastBytes;
  }

  /** The longest payload a frame of this type may have. */
  int mostBytes(Limits limits) {
    return switch (this) {
      case CHUNK -> ChunkHead.BYTES + limits.chunkBytes();
      case PREPARE -> limits.prepareBytes();
      case HELLO -> 7 + Limits.NAME_BYTES;
      case WELCOME -> 4 + Limits.NAME_BYTES;
      case REFUSED -> 4 + Limits.MESSAGE_BYTES;
      case BLOCK_HASHES -> 9 + Frame.BlockHashes.MOST * Frame.BlockHashes.HASH_BYTES;
      case DISK_HASHES -> 8 + BLOCK_HASHES.mostBytes(limits);
      case INPUT -> 1 + Frame.Input.MOST;
      case MEMORY_SUMS -> 16 + Frame.MemorySums.MOST * Long.BYTES;
      case FAILED, UNVERIFIED -> 2 + Limits.MESSAGE_BYTES;
      default -> leastBytes;
    };
  }
}
