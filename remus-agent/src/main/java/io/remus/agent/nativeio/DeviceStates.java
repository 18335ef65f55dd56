package io.remus.agent.nativeio;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.ByteBuffer;

/**
 * The device states of one connection, at one end of it: each packed against the one before. Owned
 * by one thread.
 */
public final class DeviceStates extends Handle {
  /** Bytes of the largest device state. */
  public static final int MOST_BYTES = 16 << 20;

  private final PointerByReference out = new PointerByReference();

  public DeviceStates() throws NativeException {
    super("keep device states", NativeLibrary::remus_states_create);
  }

  /**
   * Packs a state for a peer that unpacks all of them in order.
   *
   * @param state a buffer outside the heap
   * @return a buffer of its own
   */
  public ByteBuf pack(ByteBuffer state, ByteBufAllocator allocator) throws NativeException {
    Pointer first = Native.getDirectBufferPointer(state).share(state.position());
    long bytes =
        NativeException.check(
            "pack the device state",
            NativeLibrary.remus_states_pack(pointer(), first, state.remaining(), out));
    return allocator.directBuffer((int) bytes).writeBytes(out.getValue().getByteBuffer(0, bytes));
  }

  /**
   * Unpacks what a peer has sent.
   *
   * @param packed a buffer outside the heap
   * @return a copy
   * @throws NativeException when it is no packed state
   */
  public ByteBuffer unpack(ByteBuf packed) throws NativeException {
    Pointer first = new Pointer(packed.memoryAddress() + packed.readerIndex());
    long bytes =
        NativeException.check(
            "unpack the device state",
            NativeLibrary.remus_states_unpack(pointer(), first, packed.readableBytes(), out));
    return ByteBuffer.wrap(out.getValue().getByteArray(0, (int) bytes));
  }

  @Override
  void free(Pointer pointer) {
    NativeLibrary.remus_states_destroy(pointer);
  }
}
