package io.remus.agent.disk.replica;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * What stands before the data of a journal record. Big-endian:
 *
 * <pre>
 *    0  u32  "RJRN"
 *    4  u8   version 1
 *    5  u8   kind: 1 data, 2 commit
 *    6  u16  reserved 0
 *    8  u32  bytes of data that follow the head; a commit has none
 *   12  u64  epoch
 *   20  u64  term
 *   28  u64  commit: time, milliseconds since 1970
 *   36  u64  commit: how much of this segment was on disk for certain when the record was made
 *   44  u32  CRC32C of the segment's key and the 44 bytes before
 *   48  u32  CRC32C of the word here in the record before, the 48 bytes before, and the data
 * </pre>
 *
 * A record is good only behind the very record it was written behind: what an epoch that was
 * discarded left in the file cannot be taken for part of another.
 */
record RecordHead(Kind kind, int length, long epoch, long term, long atMs, long forced) {
  enum Kind {
    DATA(1),
    COMMIT(2);

    private final int code;

    Kind(int code) {
      this.code = code;
    }

    /** Returns null for a code that is none. */
    static Kind of(int code) {
      return code == DATA.code ? DATA : code == COMMIT.code ? COMMIT : null;
    }
  }

  static final int BYTES = 52;
  static final int MAGIC = 0x524a524e;
  private static final int VERSION = 1;
  private static final int HEAD_CRC = 44;
  private static final int CRC = 48;

  /** Appends the head without its last word. */
  void encode(long key, ByteBuffer out) {
    int start = out.position();
    out.putInt(MAGIC).put((byte) VERSION).put((byte) kind.code).putShort((short) 0);
    out.putInt(length).putLong(epoch).putLong(term).putLong(atMs).putLong(forced);
    out.putInt(headCrc(key, out.slice(start, HEAD_CRC)));
  }

  /**
   * Reads a head, whose chain is not checked yet.
   *
   * @return null when it is none of this segment
   */
  static RecordHead decode(long key, ByteBuffer in) {
    int at = in.position();
    if (in.remaining() < BYTES
        || in.getInt(at) != MAGIC
        || in.getInt(at + HEAD_CRC) != headCrc(key, in.slice(at, HEAD_CRC))) {
      return null;
    }
    Kind kind = Kind.of(in.get(at + 5));
    int length = in.getInt(at + 8);
    if (in.get(at + 4) != VERSION || kind == null || length < 0) {
      return null;
    }
    return new RecordHead(
        kind,
        length,
        in.getLong(at + 12),
        in.getLong(at + 20),
        in.getLong(at + 28),
        in.getLong(at + 36));
  }

  /** The last word of a head. */
  static int chain(int before, ByteBuffer head, ByteBuffer data) {
    CRC32C crc = new CRC32C();
    crc.update(ByteBuffer.allocate(4).putInt(before).flip());
    crc.update(head.slice(head.position(), CRC));
    crc.update(data);
    return (int) crc.getValue();
  }

  /** The last word as it was read. */
  static int chainOf(ByteBuffer head) {
    return head.getInt(head.position() + CRC);
  }

  private static int headCrc(long key, ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(ByteBuffer.allocate(8).putLong(key).flip());
    crc.update(bytes);
    return (int) crc.getValue();
  }
}
