package io.remus.agent.nativeio;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** The device states that a primary sends, in order. */
public final class PackedStates implements AutoCloseable {
  private final DeviceStates states = new DeviceStates();

  public PackedStates() throws NativeException {}

  /** The next one. */
  public ByteBuf of(String text) throws NativeException {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    ByteBuffer state = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    return states.pack(state, UnpooledByteBufAllocator.DEFAULT);
  }

  @Override
  public void close() {
    states.close();
  }
}
