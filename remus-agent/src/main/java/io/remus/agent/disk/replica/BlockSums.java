package io.remus.agent.disk.replica;

import io.remus.core.wire.Frame.BlockHashes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.BitSet;

/** The hashes of a disk's blocks, and which of them have to be made anew. Not thread-safe. */
public final class BlockSums {
  private final int blocks;
  private final ByteBuffer hashes;
  private final BitSet stale = new BitSet();

  /**
   * None is made yet.
   *
   * @param bytes of the disk
   * @throws IOException when there is no memory for them
   */
  public BlockSums(long bytes) throws IOException {
    blocks = BlockHasher.blocks(bytes);
    try {
      hashes = ByteBuffer.allocateDirect(Math.multiplyExact(blocks, BlockHashes.HASH_BYTES));
    } catch (OutOfMemoryError e) {
      throw new IOException(
          "there is no memory for the hashes of %d blocks; see REMUS_AGENT_JAVA_OPTIONS"
              .formatted(blocks),
          e);
    }
    stale.set(0, blocks);
  }

  public int blocks() {
    return blocks;
  }

  /** A range of bytes is written: hashes of it are void. */
  public void change(long offset, long length) {
    stale.set(firstBlock(offset), firstBlock(offset + length - 1) + 1);
  }

  /** The block in which a byte is. */
  public static int firstBlock(long offset) {
    return (int) (offset / BlockHashes.BLOCK_BYTES);
  }

  /** Voids the hash of one block. */
  public void change(int block) {
    stale.set(block);
  }

  /** The first block from {@code from} on whose hash is void; -1 when there is none. */
  public int nextStale(int from) {
    return stale.nextSetBit(from);
  }

  /** Whether every hash is what it should be. */
  public boolean isWhole() {
    return stale.isEmpty();
  }

  /** The hash of a block is this. */
  public void put(int block, ByteBuffer hash) {
    hashes.put(block * BlockHashes.HASH_BYTES, hash, hash.position(), BlockHashes.HASH_BYTES);
    stale.clear(block);
  }

  /** Whether a block's hash is the one that is next in {@code other}, which moves on. */
  public boolean matches(int block, ByteBuffer other) {
    ByteBuffer told = other.slice(other.position(), BlockHashes.HASH_BYTES);
    other.position(other.position() + BlockHashes.HASH_BYTES);
    return told.equals(hashes.slice(block * BlockHashes.HASH_BYTES, BlockHashes.HASH_BYTES));
  }

  /** Tells all of them, in order. */
  public void tell(int disk, HashSink sink) throws IOException {
    for (int first = 0; first < blocks; first += BlockHashes.MOST) {
      int bytes = Math.min(BlockHashes.MOST, blocks - first) * BlockHashes.HASH_BYTES;
      ByteBuffer part = ByteBuffer.allocate(bytes);
      part.put(0, hashes, first * BlockHashes.HASH_BYTES, bytes);
      sink.accept(new BlockHashes(disk, first, part));
    }
  }
}
