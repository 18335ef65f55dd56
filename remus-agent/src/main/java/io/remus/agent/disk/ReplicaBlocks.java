package io.remus.agent.disk;

import io.netty.buffer.ByteBuf;
import io.remus.core.wire.Frame.BlockHashes;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.BitSet;

/**
 * What the replica of one disk held before its initial copy, block by block, so that only what
 * differs is sent. A replica that nothing was said of is all zeroes. Not thread-safe.
 */
public final class ReplicaBlocks {
  static final int BLOCK = BlockHashes.BLOCK_BYTES;
  private static final int HASH = BlockHashes.HASH_BYTES;
  private static final ByteBuffer ZEROES = sha256(ByteBuffer.allocate(BLOCK));

  private final long diskBytes;
  private final BitSet changed = new BitSet();
  private final ByteBuffer lastZeroes;
  private ByteBuffer hashes;

  ReplicaBlocks(long diskBytes) {
    this.diskBytes = diskBytes;
    this.lastZeroes = sha256(ByteBuffer.allocate((int) (diskBytes % BLOCK)));
  }

  /**
   * The backup tells hashes.
   *
   * @throws IllegalArgumentException when the disk has no such blocks
   */
  void learn(long firstBlock, ByteBuffer told) {
    long blocks = (diskBytes + BLOCK - 1) / BLOCK;
    int count = told.remaining() / HASH;
    if (firstBlock > blocks - count) {
      throw new IllegalArgumentException(
          "hashes of blocks %d to %d of a disk of %d blocks"
              .formatted(firstBlock, firstBlock + count - 1, blocks));
    }
    if (hashes == null) {
      hashes = ByteBuffer.allocateDirect(Math.toIntExact(blocks * HASH));
    }
    hashes.put((int) firstBlock * HASH, told, told.position(), told.remaining());
  }

  /** Bytes of a block: the last one may be shorter. */
  int length(long block) {
    return (int) Math.min(BLOCK, diskBytes - block * BLOCK);
  }

  /** Whether the replica's block holds just these bytes. */
  boolean holds(long block, ByteBuf data) {
    if (changed.get((int) block)) {
      return false;
    }
    return hashes == null ? isZero(data) : isHash(block, data.nioBuffer());
  }

  /** Whether the replica's block is all zeroes. */
  boolean holdsZeroes(long block) {
    return !changed.get((int) block) && (hashes == null || zeroHash(block).equals(hash(block)));
  }

  private ByteBuffer zeroHash(long block) {
    return length(block) == BLOCK ? ZEROES : lastZeroes;
  }

  private ByteBuffer hash(long block) {
    return hashes.slice((int) block * HASH, HASH);
  }

  /** The block has been sent something: what was said of it is no longer so. */
  void change(long block) {
    changed.set((int) block);
  }

  private boolean isHash(long block, ByteBuffer data) {
    return sha256(data).equals(hash(block));
  }

  private static ByteBuffer sha256(ByteBuffer data) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(data);
      return ByteBuffer.wrap(digest.digest(), 0, HASH);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  private static boolean isZero(ByteBuf data) {
    int at = data.readerIndex();
    int end = data.writerIndex();
    for (; at + Long.BYTES <= end; at += Long.BYTES) {
      if (data.getLong(at) != 0) {
        return false;
      }
    }
    for (; at < end; at++) {
      if (data.getByte(at) != 0) {
        return false;
      }
    }
    return true;
  }
}
