package io.remus.agent.receive;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.remus.agent.nativeio.DeviceStates;
import io.remus.agent.nativeio.NativeException;
import io.remus.agent.nativeio.StandbyMemory;
import io.remus.agent.stage.EpochStage;
import io.remus.core.wire.ChunkKind;
import io.remus.core.wire.DiskImage;
import io.remus.core.wire.DiskRecords;
import io.remus.core.wire.EpochAssembly;
import io.remus.core.wire.Frame.Chunk;
import io.remus.core.wire.Frame.EpochEnd;
import io.remus.core.wire.ProtocolException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Puts a primary's chunks together to epochs. Every chunk is checked before it is kept: order,
 * counts and checksums by {@link EpochAssembly}, page records by the native library, disk records
 * by {@link DiskRecords}. Owned by one thread.
 */
public final class EpochReceiver implements AutoCloseable {
  /** A packed state that zstd could make no smaller. */
  private static final int PACKED_BYTES = DeviceStates.MOST_BYTES + (1 << 20);

  private final EpochAssembly assembly = new EpochAssembly();
  private final DeviceStates states = new DeviceStates();
  private final ByteBuf packedState = ByteBufAllocator.DEFAULT.directBuffer();
  private final Path directory;
  private final long stageBytes;
  private final long pages;
  private final List<DiskImage> disks;
  private EpochStage stage;

  /**
   * @param directory where a large epoch may spill to
   * @param stageBytes bytes of an epoch kept in memory
   * @param pages pages of the guest
   * @param disks replicated disks of the guest
   */
  public EpochReceiver(Path directory, long stageBytes, long pages, List<DiskImage> disks)
      throws NativeException {
    this.directory = directory;
    this.stageBytes = stageBytes;
    this.pages = pages;
    this.disks = disks;
  }

  /** Where goes what the stage does not keep. The receiver frees it afterwards. */
  public interface Target {
    /** Pages that belong to no epoch yet. */
    void synchronise(ByteBuf pages) throws IOException;

    /** Disk records of an epoch that is not whole yet, or of none when it is 0. */
    void disk(long epoch, ByteBuf records) throws IOException;
  }

  /**
   * Takes over a chunk.
   *
   * @return bytes that take no memory any more, for which credit is due
   * @throws ProtocolException when it does not belong here or is malformed
   */
  public long chunk(Chunk chunk, Target target) throws IOException {
    boolean kept = false;
    try {
      assembly.add(chunk);
      if (chunk.kind() == ChunkKind.PAGES && !StandbyMemory.wellFormed(chunk.data(), pages)) {
        throw new ProtocolException(
            "chunk %d of epoch %d is malformed".formatted(chunk.index(), chunk.epoch()));
      }
      if (chunk.kind() == ChunkKind.DISK) {
        DiskRecords.check(chunk.data(), disks);
        target.disk(chunk.epoch(), chunk.data());
        return chunk.bytes();
      }
      if (chunk.epoch() == 0) {
        target.synchronise(chunk.data());
        return chunk.bytes();
      }
      if (stage == null) {
        stage = new EpochStage(directory, stageBytes);
      }
      if (chunk.kind() == ChunkKind.DEVICE_STATE) {
        deviceState(chunk);
        return chunk.bytes();
      }
      kept = true;
      return stage.pages(chunk.data());
    } finally {
      if (!kept) {
        chunk.release();
      }
    }
  }

  private void deviceState(Chunk part) {
    if (packedState.readableBytes() + part.bytes() > PACKED_BYTES) {
      throw new ProtocolException(
          "epoch %d has more than %d bytes of device state".formatted(part.epoch(), PACKED_BYTES));
    }
    packedState.writeBytes(part.data(), part.data().readerIndex(), part.bytes());
  }

  /**
   * The epoch is complete.
   *
   * @return its stage, owned by the caller
   * @throws ProtocolException when it is not
   */
  public EpochStage end(EpochEnd end) {
    assembly.end(end);
    try {
      stage.deviceState(states.unpack(packedState));
    } catch (NativeException e) {
      throw new ProtocolException(
          "the device state of epoch %d is malformed".formatted(end.epoch()), e);
    }
    packedState.clear();
    EpochStage whole = stage;
    stage = null;
    return whole;
  }

  /** Throws away an epoch that is not complete. */
  @Override
  public void close() throws IOException {
    states.close();
    if (packedState.refCnt() > 0) {
      packedState.release();
    }
    if (stage != null) {
      stage.close();
      stage = null;
    }
  }
}
