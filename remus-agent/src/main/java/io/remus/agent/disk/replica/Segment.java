package io.remus.agent.disk.replica;

import io.netty.buffer.ByteBuf;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A segment of the journal that is being written, or waits to be applied. Appended to by the
 * replica's owner; {@link Journal} guards what owner and applier both look at.
 */
final class Segment implements Closeable {
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final BlockFile file;
  private final SegmentHead head;
  private final SegmentReader reader;
  private final ByteBuffer record = ByteBuffer.allocate(RecordHead.BYTES);

  private volatile long end;
  private int chain;
  private long committed;
  private int committedChain;
  private CommitPoint last;
  private volatile long forced;
  private boolean sealed;

  /** A segment of which only the head was written, and forced. */
  Segment(BlockFile file, SegmentHead head) {
    this.file = file;
    this.head = head;
    reader = new SegmentReader(file, head);
    end = head.bytes();
    chain = head.crc();
    last = head.before();
    committed = end;
    committedChain = chain;
    forced = end;
  }

  BlockFile file() {
    return file;
  }

  long number() {
    return head.number();
  }

  SegmentReader reader() {
    return reader;
  }

  void appendData(long term, long epoch, ByteBuf records) throws IOException {
    int length = records.readableBytes();
    append(
        new RecordHead(RecordHead.Kind.DATA, length, epoch, term, 0, 0),
        records.nioBuffer(records.readerIndex(), length));
  }

  void appendCommit(CommitPoint point) throws IOException {
    append(
        new RecordHead(
            RecordHead.Kind.COMMIT, 0, point.epoch(), point.term(), point.atMs(), forced),
        NOTHING);
  }

  private void append(RecordHead fields, ByteBuffer data) throws IOException {
    int length = data.remaining();
    fields.encode(head.key(), record.clear());
    int next = RecordHead.chain(chain, record.duplicate().flip(), data.duplicate());
    long at = end;
    file.write(at, record.putInt(next).flip());
    if (length > 0) {
      file.write(at + RecordHead.BYTES, data);
    }
    end = at + RecordHead.BYTES + length;
    chain = next;
  }

  /** Throws away what is behind the last commit. */
  void discard() throws IOException {
    if (end > committed) {
      end = committed;
      chain = committedChain;
      file.truncate(end);
    }
  }

  /** What was appended so far counts from here on. */
  void publish(CommitPoint point) {
    committed = end;
    committedChain = chain;
    last = point;
  }

  /** Nothing will be appended any more. */
  void seal() {
    sealed = true;
  }

  boolean isSealed() {
    return sealed;
  }

  /** Bytes of the file, as far as the owner wrote it. */
  long end() {
    return end;
  }

  /** Bytes up to the last commit. */
  long committed() {
    return committed;
  }

  /** The last commit in it or before it. */
  CommitPoint last() {
    return last;
  }

  /** Bytes that are on disk for certain. */
  long forced() {
    return forced;
  }

  void forcedUpTo(long bytes) {
    if (bytes > forced) {
      forced = bytes;
    }
  }

  @Override
  public void close() throws IOException {
    reader.close();
    file.close();
  }
}
