package io.remus.core.wire;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** The 13 bytes in front of a chunk's data: {@code u64 epoch, u32 index, u8 kind}. */
final class ChunkHead {

  static final int BYTES = 13;

  private ChunkHead() {}

  static void write(long epoch, int index, ChunkKind kind, ByteBuffer out) {
    out.putLong(epoch).putInt(index).put((byte) kind.number());
  }

  /** CRC32C of head and data, which is the payload of a CHUNK. */
  static int crc(long epoch, int index, ChunkKind kind, ByteBuf data) {
    ByteBuffer head = ByteBuffer.allocate(BYTES);
    write(epoch, index, kind, head);
    return crc(head.flip(), data);
  }

  static int crc(ByteBuffer head, ByteBuf data) {
    CRC32C crc = new CRC32C();
    crc.update(head);
    Crc.update(crc, data);
    return (int) crc.getValue();
  }
}
