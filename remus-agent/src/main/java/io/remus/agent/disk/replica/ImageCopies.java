package io.remus.agent.disk.replica;

import io.netty.buffer.ByteBuf;
import io.remus.agent.nativeio.SparseFile;
import io.remus.core.wire.DiskImage;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Second copies of a VM's disks, as they are at one epoch, made while the replica goes on. Where
 * the file system shares blocks they are there at once; elsewhere they are copied piece by piece,
 * and until the epoch is chosen they get whatever the images get. So the replica never waits for
 * them, and an error of theirs is not its own.
 *
 * <p>{@link #step}, {@link #finish} and {@link #close} belong to whoever asked for the copies,
 * {@link #endHere} to the replica's owner.
 */
public final class ImageCopies implements Closeable {
  private static final int BLOCK_BYTES = 64 << 10;

  /** What is copied between two turns of the applier: some milliseconds of a disk. */
  private static final long SLICE_BYTES = 1 << 20;

  /**
   * More may not wait in the page cache: the kernel holds every writer when too much does, the
   * journal's, too.
   */
  private static final long UNFORCED_BYTES = 16 << 20;

  private final Applying applying;
  private final FirstFailure failureOfReplica;
  private final long applyBytes;
  private final Images images;
  private final List<DiskImage> disks;
  private final Images copies;
  private final boolean[] shared;
  private final ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES);

  // Guarded by the lock of Applying.
  private JournalPlace end = JournalPlace.NOWHERE;
  private IOException failure;
  private boolean detached;

  private int disk;
  private long at;
  private long nextData = -1;
  private volatile long copiedBytes;

  /**
   * @param copies empty, one for each image and as large; closed with this
   * @param applyBytes about how much to apply at once
   */
  ImageCopies(
      Applying applying,
      FirstFailure failureOfReplica,
      long applyBytes,
      Images images,
      List<DiskImage> disks,
      Images copies) {
    this.applying = applying;
    this.failureOfReplica = failureOfReplica;
    this.applyBytes = applyBytes;
    this.images = images;
    this.disks = disks;
    this.copies = copies;
    this.shared = new boolean[disks.size()];
  }

  /** Begins: takes at once what the file system gives without copying. */
  void begin() throws IOException {
    applying.follow(this);
    for (int i = 0; i < shared.length; i++) {
      ImageFile image = images.file(i);
      ImageFile copy = copies.file(i);
      shared[i] = applying.meanwhile(() -> image.shareWith(copy));
    }
  }

  /** About how much room copying takes; nothing where blocks are shared. */
  public long bytesToCopy() throws IOException {
    long bytes = 0;
    for (int i = 0; i < shared.length; i++) {
      bytes += shared[i] ? 0 : SparseFile.allocated(images.file(i).path().toString());
    }
    return bytes;
  }

  /**
   * Copies the next piece.
   *
   * @return whether there is more to copy
   * @throws IOException when the copies are of no use; the replica is as good as before
   */
  public boolean step() throws IOException {
    boolean more = applying.meanwhile(this::slice);
    if (copies.unforcedBytes() >= UNFORCED_BYTES) {
      copies.force();
    }
    return more;
  }

  private boolean slice() throws IOException {
    check();
    long copied = 0;
    while (disk < shared.length && copied < SLICE_BYTES) {
      if (shared[disk] || at >= disks.get(disk).bytes()) {
        disk++;
        at = 0;
        nextData = -1;
      } else {
        copied += copyBlock();
      }
    }
    copiedBytes = disks.stream().limit(disk).mapToLong(DiskImage::bytes).sum() + at;
    return disk < shared.length;
  }

  /** Returns bytes copied: none of a hole, which is passed over as a whole. */
  private int copyBlock() throws IOException {
    ImageFile image = images.file(disk);
    if (nextData < at) {
      nextData = image.nextData(at);
    }
    int length = (int) Math.min(BLOCK_BYTES, disks.get(disk).bytes() - at);
    if (nextData >= at + length) {
      at = Math.max(at + length, nextData / BLOCK_BYTES * BLOCK_BYTES);
      return 0;
    }
    image.read(at, block.clear().limit(length));
    copies.write(disk, at, block.flip());
    at += length;
    return length;
  }

  /** Bytes of the disks that are copied, of all of them. Any thread. */
  public long copiedBytes() {
    return copiedBytes;
  }

  /** The images got records that end at a byte of a segment. Under the lock of Applying. */
  void apply(ByteBuf records, long segment, long endsAt) {
    if (failure == null && end.isBehind(segment, endsAt)) {
      try {
        copies.apply(records);
      } catch (IOException e) {
        failure = e;
      }
    }
  }

  /**
   * The copies are to be what the disks are at the last committed epoch. On the replica's own
   * thread, once all is copied.
   */
  public void endHere() throws IOException {
    JournalPlace here = applying.place();
    applying.meanwhile(() -> end = here);
  }

  /**
   * Brings the copies to the epoch that {@link #endHere} chose; afterwards they change no more.
   *
   * @throws IOException when they are of no use
   */
  public void finish() throws IOException {
    boolean there = false;
    while (!there) {
      there = applying.meanwhile(this::reached);
    }
    applying.unfollow(this);
  }

  private boolean reached() throws IOException {
    check();
    if (!applying.hasApplied(end)) {
      try {
        applying.step(applyBytes);
      } catch (IOException e) {
        failureOfReplica.report(e);
        throw e;
      }
      check();
    }
    return applying.hasApplied(end);
  }

  private void check() throws IOException {
    if (detached) {
      throw new IOException("the replica that is copied has other things to do");
    }
    if (failure != null) {
      throw new IOException(
          "the copy of a disk cannot be written: " + failure.getMessage(), failure);
    }
  }

  /** Nothing comes any more, and the images may be gone. Under the lock of Applying. */
  void detached() {
    detached = true;
  }

  /** What was copied stays as it is. */
  @Override
  public void close() throws IOException {
    applying.unfollow(this);
    copies.close();
  }
}
