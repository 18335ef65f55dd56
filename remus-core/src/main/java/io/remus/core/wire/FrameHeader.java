package io.remus.core.wire;

import java.nio.ByteBuffer;

/**
 * The 16 bytes in front of every payload, big-endian.
 *
 * <pre>
 *   0        1        2                 4
 *  +--------+--------+-----------------+-----------------------------------+
 *  |  type  | 0      | 0               | length of payload                 |
 *  +--------+--------+-----------------+-----------------------------------+
 *  | CRC32C of payload                 | CRC32C of the 12 bytes before     |
 *  +-----------------------------------+-----------------------------------+
 *   8                                   12                               16
 * </pre>
 *
 * @param length bytes of payload
 * @param crc CRC32C of the payload
 */
record FrameHeader(FrameType type, int length, int crc) {

  static final int BYTES = 16;

  private static final int CHECKED_BYTES = 12;

  /** Writes the header at the buffer's position. */
  void write(ByteBuffer out) {
    int start = out.position();
    out.putInt(type.number() << 24).putInt(length).putInt(crc);
    out.putInt(Crc.of(out.duplicate().limit(out.position()).position(start)));
  }

  /**
   * Reads a header and checks all of it.
   *
   * @throws ProtocolException when it is damaged, of an unknown type, or announces a length the
   *     type cannot have
   */
  static FrameHeader read(ByteBuffer in, Limits limits) {
    int expected = Crc.of(in.slice(in.position(), CHECKED_BYTES));
    int first = in.getInt();
    int length = in.getInt();
    int crc = in.getInt();
    if (in.getInt() != expected) {
      throw new ProtocolException("a frame's header is damaged");
    }
    FrameType type = FrameType.of(first >>> 24);
    if ((first & 0xFFFFFF) != 0) {
      throw new ProtocolException("reserved bits are set in the header of " + type);
    }
    int most = type.mostBytes(limits);
    if (length < type.leastBytes() || length > most) {
      throw new ProtocolException(
          "%s of %d bytes, allowed are %d to %d"
              .formatted(type, Integer.toUnsignedLong(length), type.leastBytes(), most));
    }
    return new FrameHeader(type, length, crc);
  }
}
