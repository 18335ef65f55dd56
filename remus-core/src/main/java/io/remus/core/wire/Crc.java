package io.remus.core.wire;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * CRC32C (Castagnoli, as in iSCSI, RFC 3720): the JVM computes it with the processor's own
 * instruction.
 */
final class Crc {

  private Crc() {}

  /** Adds the readable bytes, which stay unread. */
  static void update(CRC32C crc, ByteBuf bytes) {
    for (ByteBuffer part : bytes.nioBuffers()) {
      crc.update(part);
    }
  }

  static int of(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  static int of(ByteBuf bytes) {
    CRC32C crc = new CRC32C();
    update(crc, bytes);
    return (int) crc.getValue();
  }
}
