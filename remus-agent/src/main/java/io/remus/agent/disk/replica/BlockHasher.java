package io.remus.agent.disk.replica;

import io.remus.core.wire.Frame.BlockHashes;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Hashes the blocks of a disk's image. What is in a hole is not read. Not thread-safe. */
public final class BlockHasher implements Closeable {
  private final ImageFile image;
  private final long bytes;
  private final MessageDigest sha256;
  private final ByteBuffer data = ByteBuffer.allocate(BlockHashes.BLOCK_BYTES);
  private final ByteBuffer zeroHash;
  private long holeFrom;
  private long nextData = -1;

  /**
   * @param image closed with this
   * @param bytes of the disk, which a block device may exceed
   */
  BlockHasher(ImageFile image, long bytes) {
    this.image = image;
    this.bytes = bytes;
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
    zeroHash = digest(ByteBuffer.allocate(BlockHashes.BLOCK_BYTES));
  }

  /** Opens an image or a block device that others may write. */
  public static BlockHasher open(Path image, long bytes) throws IOException {
    return new BlockHasher(new FileStorage().openImage(image, false), bytes);
  }

  /** How many blocks a disk has; the last one may be shorter. */
  static int blocks(long bytes) {
    return Math.toIntExact((bytes + BlockHashes.BLOCK_BYTES - 1) / BlockHashes.BLOCK_BYTES);
  }

  /** All of them in order, of an image that nobody writes. */
  void hash(int disk, HashSink sink) throws IOException {
    int blocks = blocks(bytes);
    for (int first = 0; first < blocks; first += BlockHashes.MOST) {
      int count = Math.min(BlockHashes.MOST, blocks - first);
      ByteBuffer hashes = ByteBuffer.allocate(count * BlockHashes.HASH_BYTES);
      for (int block = first; block < first + count; block++) {
        hashes.put(hash(block));
      }
      sink.accept(new BlockHashes(disk, first, hashes.flip()));
    }
  }

  /** Returns the hash of a block, {@link BlockHashes#HASH_BYTES}. */
  public ByteBuffer hash(int block) throws IOException {
    long at = (long) block * BlockHashes.BLOCK_BYTES;
    int length = (int) Math.min(BlockHashes.BLOCK_BYTES, bytes - at);
    if (at < holeFrom || nextData < at) {
      holeFrom = at;
      nextData = image.nextData(at);
    }
    if (nextData >= at + length) {
      return length == BlockHashes.BLOCK_BYTES
          ? zeroHash.duplicate()
          : digest(ByteBuffer.allocate(length));
    }
    image.read(at, data.clear().limit(length));
    return digest(data.flip());
  }

  private ByteBuffer digest(ByteBuffer bytes) {
    sha256.update(bytes);
    return ByteBuffer.wrap(sha256.digest(), 0, BlockHashes.HASH_BYTES);
  }

  /** What was a hole may be one no longer. */
  public void forgetHoles() {
    nextData = -1;
  }

  @Override
  public void close() throws IOException {
    image.close();
  }
}
