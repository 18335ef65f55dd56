package io.remus.agent.disk.replica;

import io.remus.core.wire.Frame.BlockHashes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Hashes a disk's blocks. What is in a hole is not read. */
final class BlockHasher {
  private final int disk;
  private final ImageFile image;
  private final long bytes;
  private final MessageDigest sha256;
  private final ByteBuffer block = ByteBuffer.allocate(BlockHashes.BLOCK_BYTES);
  private final byte[] zeroHash;
  private long nextData = -1;

  /**
   * @param disk its place in the list of PREPARE
   * @param bytes of the disk, which a block device may exceed
   */
  BlockHasher(int disk, ImageFile image, long bytes) {
    this.disk = disk;
    this.image = image;
    this.bytes = bytes;
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
    zeroHash = sha256.digest(new byte[BlockHashes.BLOCK_BYTES]);
  }

  void hash(HashSink sink) throws IOException {
    long blocks = (bytes + BlockHashes.BLOCK_BYTES - 1) / BlockHashes.BLOCK_BYTES;
    for (long first = 0; first < blocks; first += BlockHashes.MOST) {
      int count = (int) Math.min(BlockHashes.MOST, blocks - first);
      ByteBuffer hashes = ByteBuffer.allocate(count * BlockHashes.HASH_BYTES);
      for (long i = first; i < first + count; i++) {
        hashes.put(hash(i * BlockHashes.BLOCK_BYTES), 0, BlockHashes.HASH_BYTES);
      }
      sink.accept(new BlockHashes(disk, first, hashes.flip()));
    }
  }

  private byte[] hash(long at) throws IOException {
    int length = (int) Math.min(BlockHashes.BLOCK_BYTES, bytes - at);
    if (nextData < at) {
      nextData = image.nextData(at);
    }
    if (nextData >= at + length) {
      return length == BlockHashes.BLOCK_BYTES ? zeroHash : sha256.digest(new byte[length]);
    }
    image.read(at, block.clear().limit(length));
    sha256.update(block.flip());
    return sha256.digest();
  }
}
