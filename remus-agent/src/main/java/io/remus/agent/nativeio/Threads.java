package io.remus.agent.nativeio;

/** Scheduling of the calling thread. */
public final class Threads {
  private Threads() {}

  /**
   * Sets the nice value of the calling thread: a guest stands still while it works.
   *
   * @param nice -20 to 19
   */
  public static void nice(int nice) throws NativeException {
    NativeException.check("set the thread's priority", NativeLibrary.remus_thread_nice(nice));
  }
}
