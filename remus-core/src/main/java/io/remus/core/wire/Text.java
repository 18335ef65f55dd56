package io.remus.core.wire;

import io.netty.buffer.ByteBuf;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Strings: {@code u16 bytes}, then UTF-8. */
final class Text {

  private Text() {}

  static void write(String text, ByteBuf out) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeShort(bytes.length).writeBytes(bytes);
  }

  static String read(ByteBuf in) {
    ByteBuf bytes = in.readSlice(in.readUnsignedShort());
    try {
      // A new decoder reports malformed bytes, String's constructor would replace them.
      return StandardCharsets.UTF_8.newDecoder().decode(bytes.nioBuffer()).toString();
    } catch (CharacterCodingException e) {
      throw new ProtocolException("a text is not UTF-8", e);
    }
  }
}
