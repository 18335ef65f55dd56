package io.remus.agent.disk.nbd;

/**
 * A part of a disk.
 *
 * @param length in bytes, at least 1
 * @param hole no space is allocated for it
 * @param zero it reads as zeroes
 */
public record Extent(long length, boolean hole, boolean zero) {
  private static final int STATE_HOLE = 1;
  private static final int STATE_ZERO = 2;

  public Extent {
    if (length < 1) {
      throw new IllegalArgumentException("an extent of " + length + " bytes");
    }
  }

  /** As the flags of {@code base:allocation}. */
  int state() {
    return (hole ? STATE_HOLE : 0) | (zero ? STATE_ZERO : 0);
  }
}
