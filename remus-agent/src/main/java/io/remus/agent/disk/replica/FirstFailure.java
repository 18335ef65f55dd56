package io.remus.agent.disk.replica;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * The first error ends a replica: after a write or a force that failed nobody knows what is on
 * disk.
 */
final class FirstFailure {
  private final String vm;
  private final Consumer<IOException> broken;
  private final AtomicReference<IOException> first = new AtomicReference<>();

  /**
   * @param broken told of an error that no caller gets to see
   */
  FirstFailure(String vm, Consumer<IOException> broken) {
    this.vm = vm;
    this.broken = broken;
  }

  /** Throws the first error, if there was one. */
  void check() throws IOException {
    IOException failed = first.get();
    if (failed != null) {
      throw new IOException(failed.getMessage(), failed);
    }
  }

  /** Keeps the error; returns what is to be thrown for it. */
  IOException keep(IOException error) {
    IOException named =
        new IOException("the disk replica of VM %s: %s".formatted(vm, error.getMessage()), error);
    return first.compareAndSet(null, named)
        ? named
        : new IOException(first.get().getMessage(), error);
  }

  /** Keeps the error of a thread that has no caller, and tells. */
  void report(IOException error) {
    broken.accept(keep(error));
  }
}
