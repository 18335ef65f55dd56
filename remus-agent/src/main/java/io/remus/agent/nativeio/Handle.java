package io.remus.agent.nativeio;

import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;

/** One native object with one owner, freed once. */
abstract class Handle implements AutoCloseable {
  /** A native constructor: fills {@code out}, answers a negative errno on failure. */
  interface Maker {
    int make(PointerByReference out);
  }

  private Pointer pointer;

  Handle(String what, Maker maker) throws NativeException {
    PointerByReference out = new PointerByReference();
    NativeException.check(what, maker.make(out));
    pointer = out.getValue();
  }

  final Pointer pointer() {
    if (pointer == null) {
      throw new IllegalStateException(getClass().getSimpleName() + " is closed");
    }
    return pointer;
  }

  abstract void free(Pointer pointer);

  @Override
  public final void close() {
    if (pointer != null) {
      Pointer last = pointer;
      pointer = null;
      free(last);
    }
  }
}
