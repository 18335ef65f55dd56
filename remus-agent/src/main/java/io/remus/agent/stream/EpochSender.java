package io.remus.agent.stream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.remus.agent.disk.WriteLog;
import io.remus.agent.nativeio.Arena;
import io.remus.agent.nativeio.DeviceStates;
import io.remus.agent.nativeio.Encoder;
import io.remus.agent.peer.PeerConnection;
import io.remus.core.wire.ChunkKind;
import io.remus.core.wire.EpochTally;
import io.remus.core.wire.Frame.Chunk;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Sends captured pages, disk writes and device state as chunks, within the backup's credit. Pages
 * go from the arena through the native encoder straight into the buffers that the socket sends.
 * Owned by one thread.
 */
public final class EpochSender implements AutoCloseable {
  /** Large enough to be cheap, small enough that the backup begins to work early. */
  static final int CHUNK_BYTES = 128 * 1024;

  /** A socket that takes nothing for so long is lost; heartbeats notice sooner. */
  private static final long STALL_LIMIT_NS = 30_000_000_000L;

  private final PeerConnection connection;
  private final ByteBufAllocator allocator;
  private final Credit credit;
  private final Encoder encoder;
  private final DeviceStates states = new DeviceStates();
  private final Packing packing;
  private boolean packs = true;
  private long recordBytes;
  private long beganNs;
  private EpochTally tally = new EpochTally();
  private long sentBytes;

  /**
   * @param cacheBytes bound on the copies of pages as last sent
   */
  public EpochSender(
      PeerConnection connection,
      ByteBufAllocator allocator,
      Credit credit,
      Packing packing,
      long cacheBytes)
      throws IOException {
    this.connection = connection;
    this.allocator = allocator;
    this.credit = credit;
    this.packing = packing;
    this.encoder = new Encoder(cacheBytes);
  }

  /** Bytes of chunk data sent so far. */
  public long sentBytes() {
    return sentBytes;
  }

  /**
   * Sends the arena's pages.
   *
   * @param epoch 0 for the initial synchronisation, to which zero pages do not belong: a fresh
   *     standby is zero
   * @throws IOException when the connection is lost
   */
  public void pages(long epoch, Arena arena, boolean skipZero) throws IOException {
    if (encoder.recordBytes() == recordBytes) {
      beganNs = System.nanoTime();
    }
    boolean more = true;
    while (more) {
      ByteBuf data = allocator.directBuffer(CHUNK_BYTES, CHUNK_BYTES);
      try {
        more = encoder.encode(arena, data, skipZero, packs);
        if (data.isReadable()) {
          send(epoch, ChunkKind.PAGES, fitting(data));
        }
      } finally {
        data.release();
      }
    }
    connection.flush();
  }

  /**
   * Pages that packed well leave the chunk in a buffer of their own size: the backup's credit and
   * the socket's mark count bytes to send, and would let through buffers of a hundred times as
   * many.
   */
  private ByteBuf fitting(ByteBuf data) {
    int bytes = data.readableBytes();
    return bytes > CHUNK_BYTES / 2 ? data.retain() : allocator.directBuffer(bytes).writeBytes(data);
  }

  /**
   * Sends disk writes.
   *
   * @param upTo number of the last write that belongs to the epoch: a guest may write faster than
   *     the link carries, so there is no end to what it has written by now
   */
  public void disk(long epoch, WriteLog log, long upTo) throws IOException {
    boolean more = true;
    while (more) {
      more = diskChunk(epoch, log, upTo);
    }
  }

  /** Sends one chunk of disk writes. Returns false when there were none. */
  public boolean diskChunk(long epoch, WriteLog log, long upTo) throws IOException {
    if (log.waitingBytes() == 0) {
      return false;
    }
    ByteBuf data = allocator.directBuffer(CHUNK_BYTES, CHUNK_BYTES);
    try {
      boolean any = log.next(upTo, data);
      if (any) {
        send(epoch, ChunkKind.DISK, data.retain());
        connection.flush();
      }
      return any;
    } finally {
      data.release();
    }
  }

  /**
   * Sends the device state and completes the epoch. Returns what was sent for it.
   *
   * @param held the guest stands still as somebody wants, and is to do so on the backup, too
   */
  public EpochTally end(long epoch, ByteBuffer deviceState, boolean held) throws IOException {
    ByteBuf packed = states.pack(deviceState, allocator);
    try {
      while (packed.isReadable()) {
        int bytes = Math.min(packed.readableBytes(), CHUNK_BYTES);
        send(epoch, ChunkKind.DEVICE_STATE, packed.readRetainedSlice(bytes));
      }
    } finally {
      packed.release();
    }
    EpochTally sent = tally;
    connection.sendNow(sent.end(epoch, held));
    tally = new EpochTally();
    packing.sent(epoch, packs, encoder.recordBytes() - recordBytes, beganNs);
    beginEpoch();
    return sent;
  }

  private void beginEpoch() {
    packs = packing.packs();
    recordBytes = encoder.recordBytes();
  }

  /**
   * Waits until the backup has worked off all that was sent. A credit's worth of pages that packed
   * well takes it seconds to write.
   *
   * @throws IOException when the connection is lost
   */
  public void awaitWorkedOff() throws IOException {
    await(credit::awaitAllBack);
  }

  /** Ends the initial synchronisation: the first epoch counts its chunks anew. */
  public void endSynchronisation() {
    tally = new EpochTally();
    beginEpoch();
  }

  private void send(long epoch, ChunkKind kind, ByteBuf data) throws IOException {
    int bytes = data.readableBytes();
    try {
      await(() -> credit.take(bytes) && connection.awaitRoom(System.nanoTime() + STALL_LIMIT_NS));
    } catch (IOException e) {
      data.release();
      throw e;
    }
    Chunk chunk = Chunk.of(epoch, tally.chunks(), kind, data);
    tally.add(chunk);
    sentBytes += bytes;
    connection.send(chunk);
  }

  private interface Wait {
    boolean isOver() throws InterruptedException;
  }

  private void await(Wait wait) throws IOException {
    boolean over = false;
    try {
      over = wait.isOver();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (!over) {
      throw new IOException("the connection to " + connection.peerName() + " is lost");
    }
  }

  @Override
  public void close() {
    encoder.close();
    states.close();
  }
}
