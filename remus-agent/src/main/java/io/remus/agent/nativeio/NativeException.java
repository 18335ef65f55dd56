package io.remus.agent.nativeio;

import java.io.IOException;

/** A native call failed; the message says which and with what errno. */
public final class NativeException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int errno;

  NativeException(String what, int errno) {
    super(what + ": " + Errno.describe(errno));
    this.errno = errno;
  }

  /** The positive errno value. */
  public int errno() {
    return errno;
  }

  /** Returns {@code result} when it is not negative, throws otherwise. */
  static long check(String what, long result) throws NativeException {
    if (result < 0) {
      throw new NativeException(what, (int) -result);
    }
    return result;
  }
}
