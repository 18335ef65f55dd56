package io.remus.core.wire;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * The 8 bytes each side sends before its first frame, so that a stranger on the port is recognised
 * at once.
 */
final class Preface {

  private static final byte[] MAGIC = "REMUS\r\n\0".getBytes(StandardCharsets.US_ASCII);

  static final int BYTES = MAGIC.length;

  private Preface() {}

  static byte[] bytes() {
    return MAGIC.clone();
  }

  /** Checks as many bytes as have arrived, from index 0 up to the position. */
  static void check(ByteBuffer arrived) {
    for (int i = 0; i < arrived.position(); i++) {
      if (arrived.get(i) != MAGIC[i]) {
        throw new ProtocolException("the peer does not speak the protocol of Remus");
      }
    }
  }
}
