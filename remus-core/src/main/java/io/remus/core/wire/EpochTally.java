package io.remus.core.wire;

import io.remus.core.wire.Frame.Chunk;
import io.remus.core.wire.Frame.EpochEnd;
import java.util.EnumMap;
import java.util.zip.CRC32C;

/** Adds up the chunks of one epoch in the order they are sent or received. */
public final class EpochTally {

  private final CRC32C total = new CRC32C();
  private final EnumMap<ChunkKind, Long> bytes = new EnumMap<>(ChunkKind.class);
  private int chunks;

  public void add(Chunk chunk) {
    int crc = chunk.crc();
    for (int shift = 24; shift >= 0; shift -= 8) {
      total.update(crc >>> shift);
    }
    chunks++;
    bytes.merge(chunk.kind(), (long) chunk.bytes(), Long::sum);
  }

  /** Index of the next chunk. */
  public int chunks() {
    return chunks;
  }

  /** Chunk data so far. */
  public long bytes() {
    return bytes.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Chunk data of a kind so far. */
  public long bytes(ChunkKind kind) {
    return bytes.getOrDefault(kind, 0L);
  }

  /** The frame that completes an epoch of these chunks. */
  public EpochEnd end(long epoch, boolean held) {
    return new EpochEnd(epoch, chunks, bytes(), (int) total.getValue(), held);
  }
}
