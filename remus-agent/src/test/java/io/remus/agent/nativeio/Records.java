package io.remus.agent.nativeio;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/** Page records written by hand, see docs/protocol.md. */
public final class Records {
  private static final int ZERO = 1;
  private static final int FULL = 2;

  private Records() {}

  /** One page of one value. */
  public static ByteBuf full(int page, int value) {
    ByteBuf record = head(page, FULL, 1);
    for (int i = 0; i < MemoryBlock.PAGE; i++) {
      record.writeByte(value);
    }
    return record;
  }

  /** Pages that are zero from {@code page} on. */
  public static ByteBuf zero(int page, int pages) {
    return head(page, ZERO, pages);
  }

  private static ByteBuf head(int page, int kind, int n) {
    return Unpooled.directBuffer().writeInt(page).writeShort(kind).writeShort(n);
  }
}
