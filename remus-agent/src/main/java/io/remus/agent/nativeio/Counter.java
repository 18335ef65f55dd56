package io.remus.agent.nativeio;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;

/** A number that one thread at a time moves and the native pause reads. */
public final class Counter implements AutoCloseable {
  private final Memory value = new Memory(Long.BYTES);

  public Counter() {
    value.setLong(0, 0);
  }

  /** Moves it. What has to be seen with it must reach the reader by way of the kernel. */
  public void set(long number) {
    value.setLong(0, number);
  }

  Pointer pointer() {
    return value;
  }

  @Override
  public void close() {
    value.close();
  }
}
