package io.remus.agent.stage;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * One epoch as far as it has arrived: nothing of it touches the standby before the whole of it is
 * committed, and all of it can be thrown away.
 *
 * <p>Chunks stay in the buffers they arrived in. Past a bound the rest goes to a file that has no
 * name, so that an epoch larger than the credit still gets through; the primary's guest waits
 * meanwhile. Owned by one thread.
 */
public final class EpochStage implements AutoCloseable {
  /** Takes staged pages at commit, in order. */
  public interface Pages {
    void apply(ByteBuf records) throws IOException;
  }

  private static final int LENGTH_BYTES = 4;

  private final Path directory;
  private final long memoryBytes;
  private final Deque<ByteBuf> chunks = new ArrayDeque<>();
  private ByteBuffer deviceState;
  private long inMemory;
  private FileChannel spill;

  /**
   * @param directory where a large epoch may spill to
   * @param memoryBytes pages kept in memory
   */
  public EpochStage(Path directory, long memoryBytes) {
    this.directory = directory;
    this.memoryBytes = memoryBytes;
  }

  /**
   * Takes over a chunk of page records.
   *
   * @return bytes that take no memory any more, for which credit can be given back at once
   * @throws IOException when the disk is full
   */
  public long pages(ByteBuf records) throws IOException {
    int bytes = records.readableBytes();
    if (spill == null && inMemory + bytes <= memoryBytes) {
      chunks.addLast(records);
      inMemory += bytes;
      return 0;
    }
    try {
      spill(records);
    } finally {
      records.release();
    }
    return bytes;
  }

  private void spill(ByteBuf records) throws IOException {
    try {
      append(records);
    } catch (IOException e) {
      throw new IOException(
          "an epoch larger than memory.stage cannot be kept in %s: %s; make room there"
              .formatted(directory, e.getMessage()),
          e);
    }
  }

  private void append(ByteBuf records) throws IOException {
    if (spill == null) {
      Path file = Files.createTempFile(directory, "stage", ".tmp");
      spill =
          FileChannel.open(
              file,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE);
    }
    ByteBuffer length = ByteBuffer.allocate(LENGTH_BYTES).putInt(records.readableBytes()).flip();
    write(length);
    write(records.nioBuffer());
  }

  private void write(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      spill.write(bytes);
    }
  }

  /** The epoch is whole: this is its device state. */
  public void deviceState(ByteBuffer state) {
    deviceState = state;
  }

  /** The device state of a whole epoch. */
  public ByteBuffer deviceState() {
    return deviceState.duplicate();
  }

  /**
   * Hands all pages on, in the order they came, and frees each after it.
   *
   * @return bytes of memory freed, for which credit is due
   */
  public long drainTo(Pages pages) throws IOException {
    long freed = 0;
    while (!chunks.isEmpty()) {
      ByteBuf records = chunks.removeFirst();
      try {
        freed += records.readableBytes();
        pages.apply(records);
      } finally {
        records.release();
      }
    }
    if (spill != null) {
      drainSpill(pages);
    }
    return freed;
  }

  private void drainSpill(Pages pages) throws IOException {
    spill.position(0);
    ByteBuf length = ByteBufAllocator.DEFAULT.buffer(LENGTH_BYTES, LENGTH_BYTES);
    try {
      while (spill.position() < spill.size()) {
        length.clear();
        read(length, LENGTH_BYTES);
        int bytes = length.getInt(0);
        ByteBuf records = ByteBufAllocator.DEFAULT.directBuffer(bytes, bytes);
        try {
          read(records, bytes);
          pages.apply(records);
        } finally {
          records.release();
        }
      }
    } finally {
      length.release();
    }
  }

  private void read(ByteBuf into, int bytes) throws IOException {
    while (into.readableBytes() < bytes) {
      if (into.writeBytes(spill, bytes - into.readableBytes()) < 0) {
        throw new IOException("the stage file is shorter than what was written to it");
      }
    }
  }

  /** Throws away what is left. */
  @Override
  public void close() throws IOException {
    chunks.forEach(ByteBuf::release);
    chunks.clear();
    if (spill != null) {
      spill.close();
    }
  }
}
