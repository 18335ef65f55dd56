package io.remus.agent.disk.replica;

import io.netty.buffer.ByteBuf;
import io.remus.core.wire.DiskRecords;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;

/** The images of a VM's disks. One thread applies at a time; any may force. */
final class Images implements Closeable {
  private final List<ImageFile> files;

  /**
   * Not 0 for an image that may have been written since it was forced: at first all, since an
   * earlier process may have ended before it forced what this one sees in the page cache.
   */
  private final AtomicIntegerArray written;

  private final AtomicLong unforced = new AtomicLong();

  /**
   * @param files open, in the order that records count disks; closed with this
   */
  Images(List<ImageFile> files) {
    this.files = List.copyOf(files);
    int[] all = new int[files.size()];
    Arrays.fill(all, 1);
    written = new AtomicIntegerArray(all);
  }

  List<Path> paths() {
    return files.stream().map(ImageFile::path).toList();
  }

  /** Does what checked records say. */
  void apply(ByteBuf records) throws IOException {
    DiskRecords.visit(
        records,
        new DiskRecords.Visitor() {
          @Override
          public void write(int disk, long offset, ByteBuf data) throws IOException {
            Images.this.write(disk, offset, data.nioBuffer());
          }

          @Override
          public void zero(int disk, long offset, long length) throws IOException {
            files.get(disk).zero(offset, length);
            wrote(disk, DiskRecords.HEAD_BYTES);
          }
        });
  }

  void write(int disk, long offset, ByteBuffer data) throws IOException {
    int bytes = data.remaining();
    files.get(disk).write(offset, data);
    wrote(disk, bytes);
  }

  /** One of them, to be read. */
  ImageFile file(int disk) {
    return files.get(disk);
  }

  /** After the write: a force that comes in between then forces once more than it had to. */
  private void wrote(int disk, long bytes) {
    written.set(disk, 1);
    unforced.addAndGet(bytes);
  }

  /** When this returns, all that was applied before is on disk. */
  void force() throws IOException {
    unforced.set(0);
    for (int i = 0; i < files.size(); i++) {
      if (written.getAndSet(i, 0) != 0) {
        files.get(i).force();
      }
    }
  }

  /** Bytes that were written since the last force, roughly. */
  long unforcedBytes() {
    return unforced.get();
  }

  @Override
  public void close() throws IOException {
    for (ImageFile file : files) {
      file.close();
    }
  }
}
