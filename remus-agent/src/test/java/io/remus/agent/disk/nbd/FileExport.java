package io.remus.agent.disk.nbd;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A disk in a file, which remembers in memory which of its blocks have data. */
final class FileExport implements ReadableExport, AutoCloseable {
  private static final int BLOCK = 4096;

  private final FileChannel file;
  private final long bytes;
  private final BitSet allocated = new BitSet();
  private final AtomicInteger flushes = new AtomicInteger();

  FileExport(Path path, long bytes) throws IOException {
    this.file =
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    this.bytes = bytes;
    file.write(ByteBuffer.allocate(1), bytes - 1);
  }

  int flushes() {
    return flushes.get();
  }

  /** The same disk, which nobody may read. */
  Export writeOnly() {
    FileExport disk = this;
    return new Export() {
      @Override
      public String name() {
        return disk.name();
      }

      @Override
      public long bytes() {
        return disk.bytes();
      }

      @Override
      public void write(long offset, ByteBuf data, Reply reply) {
        disk.write(offset, data, reply);
      }

      @Override
      public void zero(long offset, long length, boolean mayUnmap, Reply reply) {
        disk.zero(offset, length, mayUnmap, reply);
      }

      @Override
      public void trim(long offset, long length, Reply reply) {
        disk.trim(offset, length, reply);
      }

      @Override
      public void flush(Reply reply) {
        disk.flush(reply);
      }
    };
  }

  @Override
  public String name() {
    return "vda";
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public void write(long offset, ByteBuf data, Reply reply) {
    int length = data.readableBytes();
    try {
      long at = offset;
      for (ByteBuffer part : data.nioBuffers()) {
        while (part.hasRemaining()) {
          at += file.write(part, at);
        }
      }
      allocated.set((int) (offset / BLOCK), (int) ((offset + length - 1) / BLOCK) + 1);
      reply.ok();
    } catch (IOException e) {
      reply.fail(NbdError.EIO);
    } finally {
      data.release();
    }
  }

  @Override
  public void zero(long offset, long length, boolean mayUnmap, Reply reply) {
    try {
      zero(offset, length);
      if (mayUnmap) {
        unmap(offset, length);
      } else {
        allocated.set((int) (offset / BLOCK), (int) ((offset + length - 1) / BLOCK) + 1);
      }
      reply.ok();
    } catch (IOException e) {
      reply.fail(NbdError.EIO);
    }
  }

  @Override
  public void trim(long offset, long length, Reply reply) {
    zero(offset, length, true, reply);
  }

  @Override
  public void flush(Reply reply) {
    flushes.incrementAndGet();
    reply.ok();
  }

  @Override
  public void read(long offset, int length, ByteBuf into, Reply reply) {
    try {
      while (into.isWritable()) {
        if (into.writeBytes(file, offset + into.writerIndex(), into.writableBytes()) < 0) {
          throw new IOException("the file is too short");
        }
      }
      reply.ok();
    } catch (IOException e) {
      reply.fail(NbdError.EIO);
    }
  }

  @Override
  public List<Extent> extents(long offset, long length) {
    List<Extent> extents = new ArrayList<>();
    long at = offset;
    while (at < offset + length) {
      int block = (int) (at / BLOCK);
      boolean data = allocated.get(block);
      int next = data ? allocated.nextClearBit(block) : allocated.nextSetBit(block);
      long end = next < 0 ? bytes : Math.min(bytes, (long) next * BLOCK);
      extents.add(new Extent(end - at, !data, !data));
      at = end;
    }
    return extents;
  }

  @Override
  public void close() throws IOException {
    file.close();
  }

  private void zero(long offset, long length) throws IOException {
    long end = offset + length;
    for (long at = offset; at < end; ) {
      int block = (int) (at / BLOCK);
      long blockEnd = Math.min(end, (block + 1L) * BLOCK);
      if (allocated.get(block)) {
        file.write(ByteBuffer.allocate((int) (blockEnd - at)), at);
      }
      at = blockEnd;
    }
  }

  private void unmap(long offset, long length) {
    int first = (int) ((offset + BLOCK - 1) / BLOCK);
    int end = (int) ((offset + length) / BLOCK);
    if (first < end) {
      allocated.clear(first, end);
    }
  }
}
