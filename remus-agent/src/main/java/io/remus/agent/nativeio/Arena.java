package io.remus.agent.nativeio;

import com.sun.jna.Pointer;

/** Preallocated room for copied pages, outside the Java heap. */
public final class Arena extends Handle {
  public Arena(long bytes) throws NativeException {
    super(
        "reserve an arena of " + bytes + " bytes",
        out -> NativeLibrary.remus_arena_create(bytes, out));
  }

  @Override
  void free(Pointer pointer) {
    NativeLibrary.remus_arena_destroy(pointer);
  }
}
