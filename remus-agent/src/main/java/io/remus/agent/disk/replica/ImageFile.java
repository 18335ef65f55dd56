package io.remus.agent.disk.replica;

import java.io.IOException;

/** A disk image: a sparse file, or a block device. */
interface ImageFile extends BlockFile {
  /** Makes a range read as zeroes, without writing it where that can be had. */
  void zero(long at, long length) throws IOException;

  /** The first offset from {@code from} on that is not in a hole; the size when there is none. */
  long nextData(long from) throws IOException;

  /**
   * Makes another image, as large as this one, the same without copying.
   *
   * @return false where the file system cannot, and nothing was changed
   */
  boolean shareWith(ImageFile other) throws IOException;
}
