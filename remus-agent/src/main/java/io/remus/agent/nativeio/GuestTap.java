package io.remus.agent.nativeio;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;

/**
 * A guest's tap as the network sees it. A frame is a {@code struct virtio_net_hdr} of 10 bytes and
 * an Ethernet frame.
 */
public final class GuestTap extends Handle {
  private final String name;
  private final Memory frame;

  private GuestTap(String name, boolean listens, int mostBytes) throws NativeException {
    super(
        "open the interface " + name,
        out -> NativeLibrary.remus_tap_open(name, listens ? 1 : 0, out));
    this.name = name;
    this.frame = new Memory(mostBytes);
  }

  /**
   * Sees what the network sends to the guest from now on.
   *
   * @param mostBytes of a frame; a larger one is left out
   */
  public static GuestTap listening(String name, int mostBytes) throws NativeException {
    return new GuestTap(name, true, mostBytes);
  }

  /**
   * Only to send to the guest.
   *
   * @param mostBytes of a frame
   */
  public static GuestTap sending(String name, int mostBytes) throws NativeException {
    return new GuestTap(name, false, mostBytes);
  }

  /**
   * Waits for the next frame to the guest.
   *
   * @return valid until the next call; null once {@link #stop} was called and all is read
   */
  public ByteBuffer read() throws NativeException {
    int bytes =
        Math.toIntExact(
            NativeException.check(
                "listen on the interface " + name,
                NativeLibrary.remus_tap_read(pointer(), frame, frame.size())));
    return bytes == 0 ? null : frame.getByteBuffer(0, bytes);
  }

  /** Ends {@link #read}. Any thread. */
  public void stop() {
    NativeLibrary.remus_tap_stop(pointer());
  }

  /** Sends a frame to the guest. */
  public void write(ByteBuffer bytes) throws NativeException {
    int length = bytes.remaining();
    frame.getByteBuffer(0, length).put(bytes.duplicate());
    NativeException.check(
        "send to the interface " + name, NativeLibrary.remus_tap_write(pointer(), frame, length));
  }

  @Override
  void free(Pointer pointer) {
    NativeLibrary.remus_tap_close(pointer);
    frame.close();
  }
}
