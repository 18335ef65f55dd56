package io.remus.agent.input;

import io.remus.agent.nativeio.GuestTap;
import io.remus.agent.nativeio.NativeException;
import io.remus.core.wire.Frame;
import java.util.ArrayList;
import java.util.List;

/** Gives a guest that was moved here what came for it where it was. Owned by one thread. */
public final class GuestInput implements AutoCloseable {
  private final List<GuestTap> taps = new ArrayList<>();

  /**
   * @param interfaces of the guest on this host, in the order in which it has them
   */
  public GuestInput(List<String> interfaces) throws NativeException {
    try {
      for (String name : interfaces) {
        taps.add(GuestTap.sending(name, Frame.Input.MOST));
      }
    } catch (NativeException e) {
      close();
      throw e;
    }
  }

  /** Gives it a frame; one for an interface that it does not have is left out. */
  public void give(Frame.Input input) throws NativeException {
    if (input.nic() < taps.size()) {
      taps.get(input.nic()).write(input.frame());
    }
  }

  @Override
  public void close() {
    taps.forEach(GuestTap::close);
  }
}
