package io.remus.agent.disk.nbd;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * An option of the handshake.
 *
 * @param type NBD_OPT_...
 * @param data what came with it; reading moves on in it
 */
record NbdOption(int type, ByteBuffer data) {
  static final int EXPORT_NAME = 1;
  static final int ABORT = 2;
  static final int LIST = 3;
  static final int INFO = 6;
  static final int GO = 7;
  static final int STRUCTURED_REPLY = 8;
  static final int LIST_META_CONTEXT = 9;
  static final int SET_META_CONTEXT = 10;

  private static final int MOST_STRING_BYTES = 4096;

  /** The data of an option are not what they should be. */
  static final class Malformed extends Exception {
    private static final long serialVersionUID = 1L;

    Malformed(String message) {
      super(message);
    }
  }

  /** All that is left, as text. */
  String text() throws Malformed {
    return text(data.remaining());
  }

  /** A length of 32 bits and so much text. */
  String counted() throws Malformed {
    return text(u32());
  }

  int u16() throws Malformed {
    need(Short.BYTES);
    return Short.toUnsignedInt(data.getShort());
  }

  long u32() throws Malformed {
    need(Integer.BYTES);
    return Integer.toUnsignedLong(data.getInt());
  }

  void end() throws Malformed {
    if (data.hasRemaining()) {
      throw new Malformed("the option has " + data.remaining() + " bytes too many");
    }
  }

  private String text(long bytes) throws Malformed {
    if (bytes > MOST_STRING_BYTES) {
      throw new Malformed("a string has at most " + MOST_STRING_BYTES + " bytes");
    }
    need((int) bytes);
    byte[] text = new byte[(int) bytes];
    data.get(text);
    return new String(text, StandardCharsets.UTF_8);
  }

  private void need(int bytes) throws Malformed {
    if (data.remaining() < bytes) {
      throw new Malformed("the option is too short");
    }
  }
}
