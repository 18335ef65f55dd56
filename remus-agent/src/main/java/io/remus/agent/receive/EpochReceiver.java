package io.remus.agent.receive;

import io.netty.buffer.ByteBuf;
import io.remus.agent.nativeio.StandbyMemory;
import io.remus.agent.stage.EpochStage;
import io.remus.core.wire.ChunkKind;
import io.remus.core.wire.EpochAssembly;
import io.remus.core.wire.Frame.Chunk;
import io.remus.core.wire.Frame.EpochEnd;
import io.remus.core.wire.ProtocolException;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Puts a primary's chunks together to epochs. Every chunk is checked before it is kept: order,
 * counts and checksums by {@link EpochAssembly}, page records by the native library. Owned by one
 * thread.
 */
public final class EpochReceiver implements AutoCloseable {
  private final EpochAssembly assembly = new EpochAssembly();
  private final Path directory;
  private final long stageBytes;
  private final long pages;
  private EpochStage stage;

  /**
   * @param directory where a large epoch may spill to
   * @param stageBytes bytes of an epoch kept in memory
   * @param pages pages of the guest
   */
  public EpochReceiver(Path directory, long stageBytes, long pages) {
    this.directory = directory;
    this.stageBytes = stageBytes;
    this.pages = pages;
  }

  /** What became of a chunk. */
  public interface Synchronisation {
    /** Pages that belong to no epoch yet; the receiver frees them afterwards. */
    void apply(ByteBuf records) throws IOException;
  }

  /**
   * Takes over a chunk.
   *
   * @return bytes that take no memory any more, for which credit is due
   * @throws ProtocolException when it does not belong here or is malformed
   */
  public long chunk(Chunk chunk, Synchronisation synchronisation) throws IOException {
    boolean kept = false;
    try {
      assembly.add(chunk);
      if (chunk.kind() == ChunkKind.PAGES && !StandbyMemory.wellFormed(chunk.data(), pages)) {
        throw new ProtocolException(
            "chunk %d of epoch %d is malformed".formatted(chunk.index(), chunk.epoch()));
      }
      if (chunk.epoch() == 0) {
        synchronisation.apply(chunk.data());
        return chunk.bytes();
      }
      if (stage == null) {
        stage = new EpochStage(directory, stageBytes);
      }
      kept = true;
      return chunk.kind() == ChunkKind.PAGES
          ? stage.pages(chunk.data())
          : stage.deviceState(chunk.data());
    } finally {
      if (!kept) {
        chunk.release();
      }
    }
  }

  /**
   * The epoch is complete.
   *
   * @return its stage, owned by the caller
   * @throws ProtocolException when it is not
   */
  public EpochStage end(EpochEnd end) {
    assembly.end(end);
    EpochStage whole = stage;
    stage = null;
    return whole;
  }

  /** Throws away an epoch that is not complete. */
  @Override
  public void close() throws IOException {
    if (stage != null) {
      stage.close();
      stage = null;
    }
  }
}
