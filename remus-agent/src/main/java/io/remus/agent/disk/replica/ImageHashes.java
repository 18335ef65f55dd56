package io.remus.agent.disk.replica;

import io.netty.buffer.ByteBuf;
import io.remus.core.wire.DiskImage;
import io.remus.core.wire.DiskRecords;
import io.remus.core.wire.Frame.BlockHashes;
import java.io.IOException;
import java.util.BitSet;
import java.util.List;

/**
 * Hashes of a replica's images as they are at one epoch, made while the replica goes on: block by
 * block between two turns of the applier, and what that writes once more. {@link #step} and {@link
 * #tell} belong to whoever asked for them.
 */
public final class ImageHashes extends ImageFollower {
  /** What is hashed between two turns of the applier: some milliseconds. */
  private static final int SLICE_BLOCKS = (1 << 20) / BlockHashes.BLOCK_BYTES;

  /** Of each disk; null where nobody asks. */
  private final BlockHasher[] hashers;

  private final BlockSums[] sums;

  /**
   * @param wanted disks that are to be hashed
   * @throws IOException when there is no memory for that
   */
  ImageHashes(
      Applying applying,
      FirstFailure failureOfReplica,
      long applyBytes,
      Images images,
      List<DiskImage> disks,
      BitSet wanted)
      throws IOException {
    super(applying, failureOfReplica, applyBytes);
    hashers = new BlockHasher[disks.size()];
    sums = new BlockSums[disks.size()];
    for (int i = wanted.nextSetBit(0); i >= 0; i = wanted.nextSetBit(i + 1)) {
      if (i >= disks.size()) {
        throw new IOException("disk %d is none of the replica's".formatted(i));
      }
      hashers[i] = new BlockHasher(images.file(i), disks.get(i).bytes());
      sums[i] = new BlockSums(disks.get(i).bytes());
    }
  }

  /**
   * Hashes the next piece.
   *
   * @return whether there is more to hash now
   * @throws IOException when the hashes are of no use; the replica is as good as before
   */
  public boolean step() throws IOException {
    return meanwhile(() -> hash(SLICE_BLOCKS));
  }

  private boolean hash(int most) throws IOException {
    int left = most;
    for (int i = 0; i < sums.length; i++) {
      if (sums[i] == null) {
        continue;
      }
      hashers[i].forgetHoles();
      for (int block = sums[i].nextStale(0); block >= 0; block = sums[i].nextStale(block + 1)) {
        if (left-- == 0) {
          return true;
        }
        sums[i].put(block, hashers[i].hash(block));
      }
    }
    return false;
  }

  @Override
  void apply(ByteBuf records) throws IOException {
    DiskRecords.visit(
        records,
        new DiskRecords.Visitor() {
          @Override
          public void write(int disk, long offset, ByteBuf data) {
            change(disk, offset, data.readableBytes());
          }

          @Override
          public void zero(int disk, long offset, long length) {
            change(disk, offset, length);
          }
        });
  }

  private void change(int disk, long offset, long length) {
    if (sums[disk] != null) {
      sums[disk].change(offset, length);
    }
  }

  /** Whoever applies waits for this: there is as much of it as was written just now. */
  @Override
  void ended() throws IOException {
    hash(Integer.MAX_VALUE);
  }

  @Override
  String failed(String why) {
    return "a replica cannot be read: " + why;
  }

  /** The images are the replica's own. */
  @Override
  public void close() {
    stop();
  }

  /** What the images held at the end. After {@link #finish}. */
  public void tell(HashSink sink) throws IOException {
    for (int i = 0; i < sums.length; i++) {
      if (sums[i] != null) {
        sums[i].tell(i, sink);
      }
    }
  }
}
