package io.remus.agent.disk;

/** Told of every write of a guest that is mirrored, before the guest hears that it is done. */
interface WriteWatch {
  /** Looks at nothing. */
  WriteWatch NONE = (disk, offset, length) -> {};

  /**
   * Bytes were written or zeroed. QEMU mirrors a write after it was made, so the guest's own disk
   * has it. On the thread that serves the disk.
   */
  void written(int disk, long offset, long length);
}
