package io.remus.agent.disk.replica;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Reads a segment's records in order; the same for applying and for recovery. One thread. */
final class SegmentReader implements AutoCloseable {
  private static final int FIRST_BYTES = 256 * 1024;

  private final BlockFile file;
  private final SegmentHead segment;
  private final ByteBuffer head = ByteBuffer.allocate(RecordHead.BYTES);
  private ByteBuf data;
  private long position;
  private int chain;
  private RecordHead record;

  SegmentReader(BlockFile file, SegmentHead segment) {
    this.file = file;
    this.segment = segment;
    position = segment.bytes();
    chain = segment.crc();
  }

  /**
   * Goes to the next record.
   *
   * @param end where to stop reading
   * @return false when no good record follows that lies wholly before {@code end}
   */
  boolean next(long end) throws IOException {
    if (end - position < RecordHead.BYTES) {
      return false;
    }
    file.read(position, head.clear());
    RecordHead found = RecordHead.decode(segment.key(), head.flip());
    if (found == null || found.length() > end - position - RecordHead.BYTES) {
      return false;
    }
    ByteBuffer bytes = room(found.length());
    file.read(position + RecordHead.BYTES, bytes.duplicate());
    if (RecordHead.chain(chain, head, bytes) != RecordHead.chainOf(head)) {
      return false;
    }
    chain = RecordHead.chainOf(head);
    position += RecordHead.BYTES + found.length();
    record = found;
    return true;
  }

  private ByteBuffer room(int length) {
    if (data == null) {
      data = ByteBufAllocator.DEFAULT.directBuffer(Math.max(length, FIRST_BYTES));
    }
    data.clear().ensureWritable(length).writerIndex(length);
    return data.nioBuffer(0, length);
  }

  RecordHead record() {
    return record;
  }

  /** The record's data; valid until the next one is read. */
  ByteBuf data() {
    return data.slice();
  }

  /** Behind the last good record. */
  long position() {
    return position;
  }

  @Override
  public void close() {
    if (data != null) {
      data.release();
      data = null;
    }
  }
}
