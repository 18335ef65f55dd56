package io.remus.agent.disk.replica;

import io.netty.buffer.ByteBuf;
import io.remus.agent.nativeio.SparseFile;
import io.remus.core.wire.DiskImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Second copies of a VM's disks, as they are at one epoch, made while the replica goes on. Where
 * the file system shares blocks they are there at once; elsewhere they are copied piece by piece,
 * and until the epoch is chosen they get whatever the images get. So the replica never waits for
 * them, and an error of theirs is not its own. {@link #step} belongs to whoever asked for them.
 */
public final class ImageCopies extends ImageFollower {
  private static final int BLOCK_BYTES = 64 << 10;

  /** What is copied between two turns of the applier: some milliseconds of a disk. */
  private static final long SLICE_BYTES = 1 << 20;

  /**
   * More may not wait in the page cache: the kernel holds every writer when too much does, the
   * journal's, too.
   */
  private static final long UNFORCED_BYTES = 16 << 20;

  private final Images images;
  private final List<DiskImage> disks;
  private final Images copies;
  private final boolean[] shared;
  private final ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES);

  private int disk;
  private long at;
  private long nextData = -1;
  private volatile long copiedBytes;

  /**
   * @param copies empty, one for each image and as large; closed with this
   */
  ImageCopies(
      Applying applying,
      FirstFailure failureOfReplica,
      long applyBytes,
      Images images,
      List<DiskImage> disks,
      Images copies) {
    super(applying, failureOfReplica, applyBytes);
    this.images = images;
    this.disks = disks;
    this.copies = copies;
    this.shared = new boolean[disks.size()];
  }

  /** Begins: takes at once what the file system gives without copying. */
  @Override
  void begin() throws IOException {
    super.begin();
    for (int i = 0; i < shared.length; i++) {
      ImageFile image = images.file(i);
      ImageFile copy = copies.file(i);
      shared[i] = meanwhile(() -> image.shareWith(copy));
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
    boolean more = meanwhile(this::slice);
    if (copies.unforcedBytes() >= UNFORCED_BYTES) {
      copies.force();
    }
    return more;
  }

  private boolean slice() throws IOException {
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

  @Override
  void apply(ByteBuf records) throws IOException {
    copies.apply(records);
  }

  /** From here on the copies change no more. */
  @Override
  void ended() {}

  @Override
  String failed(String why) {
    return "the copy of a disk cannot be written: " + why;
  }

  /** What was copied stays as it is. */
  @Override
  public void close() throws IOException {
    stop();
    copies.close();
  }
}
