package io.remus.agent.nativeio;

import com.sun.jna.Pointer;

/**
 * What Java cannot do to a disk image: make a range zero without writing it, and find what is not a
 * hole. Any thread, but none while it is closed.
 */
public final class SparseFile extends Handle {
  private final String path;

  /**
   * Opens an existing regular file or block device.
   *
   * @param writable whether {@link #zero} will be called; takes a block device exclusively
   * @throws NativeException with {@link Errno#EBUSY} when the device is mounted or part of another
   */
  public SparseFile(String path, boolean writable) throws NativeException {
    super("open " + path, out -> NativeLibrary.remus_sparse_open(path, writable ? 1 : 0, out));
    this.path = path;
  }

  /** Makes {@code bytes} from {@code at} on read as zeroes; a file's size stays. */
  public void zero(long at, long bytes) throws NativeException {
    NativeException.check(
        "zero a range of " + path, NativeLibrary.remus_sparse_zero(pointer(), at, bytes));
  }

  /** The first offset from {@code from} on that is not in a hole; the size when there is none. */
  public long nextData(long from) throws NativeException {
    return NativeException.check(
        "look for holes in " + path, NativeLibrary.remus_sparse_data(pointer(), from));
  }

  /**
   * Makes another file what this one is, without copying, where their file system shares blocks.
   *
   * @return false when it does not, and nothing was changed
   */
  public boolean shareWith(SparseFile other) throws NativeException {
    int shared = NativeLibrary.remus_sparse_share(pointer(), other.pointer());
    return NativeException.check("share the blocks of " + path + " with " + other.path, shared) > 0;
  }

  /** Bytes that a file takes on its file system; a block device's size. */
  public static long allocated(String path) throws NativeException {
    return NativeException.check("look at " + path, NativeLibrary.remus_sparse_allocated(path));
  }

  @Override
  void free(Pointer pointer) {
    NativeLibrary.remus_sparse_close(pointer);
  }
}
