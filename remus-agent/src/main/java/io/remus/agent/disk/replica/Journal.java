package io.remus.agent.disk.replica;

import io.netty.buffer.ByteBuf;
import io.remus.core.wire.DiskImage;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.UUID;

/**
 * The redo journal of a VM's disks: epochs that arrive or wait to be applied, in segments, oldest
 * first. The owner appends and commits; the applier, behind the lock of {@link Applying}, reads,
 * forces and removes.
 */
final class Journal implements Closeable {
  private static final int SEGMENTS = 8;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final Storage storage;
  private final Path directory;
  private final UUID vm;
  private final List<DiskImage> disks;
  private final long limitBytes;
  private final Deque<Segment> segments = new ArrayDeque<>();

  /** Where the owner appends; null before the first record. */
  private Segment current;

  private long nextNumber;
  private CommitPoint last = CommitPoint.NONE;
  private long epochBytes;
  private long unappliedBytes;
  private long unappliedSinceNs;

  /**
   * @param limitBytes bound on all segments together
   * @param nextNumber number of the first segment to be made
   */
  Journal(
      Storage storage,
      Path directory,
      UUID vm,
      List<DiskImage> disks,
      long limitBytes,
      long nextNumber) {
    this.storage = storage;
    this.directory = directory;
    this.vm = vm;
    this.disks = disks;
    this.limitBytes = limitBytes;
    this.nextNumber = nextNumber;
  }

  // ---- the owner

  /** Appends disk records of the epoch that is arriving. */
  void append(long term, long epoch, ByteBuf records) throws IOException {
    writable().appendData(term, epoch, records);
    epochBytes += records.readableBytes();
  }

  /** Writes the record that ends an epoch, which counts after {@link #publish}. */
  void appendCommit(CommitPoint point) throws IOException {
    writable().appendCommit(point);
  }

  /** Whether the epoch that is arriving writes to disks. */
  boolean epochHasRecords() {
    return epochBytes > 0;
  }

  /** Forces everything that was appended. */
  void forceAppended() throws IOException {
    force(current, current.end());
  }

  /** From here on the epoch is to be applied. */
  synchronized void publish(CommitPoint point, long nowNs) {
    current.publish(point);
    last = point;
    if (unappliedBytes == 0) {
      unappliedSinceNs = nowNs;
    }
    unappliedBytes += epochBytes;
    epochBytes = 0;
  }

  /** Throws away the epoch that is arriving. */
  void discard() throws IOException {
    epochBytes = 0;
    if (current != null) {
      current.discard();
    }
  }

  /** The next record begins a new segment. */
  synchronized void seal() {
    if (current != null) {
      current.seal();
      current = null;
    }
  }

  /** Number of the segment that is being written. */
  long currentNumber() {
    return current.number();
  }

  /** The last commit; its term is 0 before the first. */
  synchronized CommitPoint last() {
    return last;
  }

  /** Whether {@code more} bytes are too many for now, and applying would make room for them. */
  synchronized boolean mustWaitFor(long more) {
    return segments.size() > 1 && fileBytes() + more > limitBytes;
  }

  /** Where the last commit ends. */
  synchronized JournalPlace place() {
    return current == null
        ? new JournalPlace(nextNumber - 1, Long.MAX_VALUE)
        : new JournalPlace(current.number(), current.committed());
  }

  private Segment writable() throws IOException {
    boolean between = current == null || current.end() == current.committed();
    if (current == null) {
      begin();
    } else if (between && current.end() >= limitBytes / SEGMENTS) {
      force(current, current.end());
      begin();
    }
    return current;
  }

  /**
   * The segment is on disk, empty, before anything is appended to it. The one before is sealed when
   * this one can be seen, so that the applier never takes it for the last.
   */
  private void begin() throws IOException {
    Path path = SegmentNames.file(directory, nextNumber);
    ByteBuffer head = SegmentHead.encode(nextNumber, RANDOM.nextLong(), vm, last(), disks);
    BlockFile file = storage.create(path);
    Segment fresh;
    try {
      file.write(0, head);
      file.force();
      storage.forceDirectory(directory);
      fresh = new Segment(file, SegmentHead.read(file));
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
    synchronized (this) {
      nextNumber++;
      seal();
      current = fresh;
      segments.addLast(fresh);
    }
  }

  // ---- the applier

  /** The oldest segment; null when there is none. */
  synchronized Segment oldest() {
    return segments.peekFirst();
  }

  /** How far a segment may be applied. */
  synchronized long committed(Segment segment) {
    return segment.committed();
  }

  /** Whether a segment can be removed once it is applied. */
  synchronized boolean isSealed(Segment segment) {
    return segment.isSealed();
  }

  /** Forces a segment up to {@code end}, unless it is on disk as far as that. */
  void force(Segment segment, long end) throws IOException {
    synchronized (this) {
      if (segment.forced() >= end) {
        return;
      }
    }
    segment.file().force();
    synchronized (this) {
      segment.forcedUpTo(end);
    }
  }

  /** Records of this many bytes are in the images. */
  synchronized void applied(long bytes, long nowNs) {
    unappliedBytes -= bytes;
    unappliedSinceNs = nowNs;
  }

  /** Number of the segment after the oldest; 0 when there is none. */
  synchronized long second() {
    return segments.stream().skip(1).findFirst().map(Segment::number).orElse(0L);
  }

  /** Deletes the oldest segment, with which the images are done. */
  void removeOldest() throws IOException {
    Segment segment = oldest();
    segment.close();
    storage.delete(segment.file().path());
    synchronized (this) {
      segments.removeFirst();
    }
  }

  /** Deletes everything, for a new synchronisation. Nobody appends or applies meanwhile. */
  void clear() throws IOException {
    for (Path left : SegmentNames.list(storage, directory).values()) {
      storage.delete(left);
    }
    storage.forceDirectory(directory);
    close();
    synchronized (this) {
      segments.clear();
      current = null;
      last = CommitPoint.NONE;
      epochBytes = 0;
      unappliedBytes = 0;
    }
  }

  // ---- any thread

  /**
   * How long applying may be put off.
   *
   * @param batchNs the longest that an epoch waits, nanoseconds
   * @param batchBytes at most this much waits
   * @return nanoseconds; {@link Long#MAX_VALUE} when there is nothing to apply
   */
  synchronized long dueInNs(long nowNs, long batchNs, long batchBytes) {
    if (segments.size() > 1 || unappliedBytes >= batchBytes) {
      return 0;
    }
    return unappliedBytes == 0 ? Long.MAX_VALUE : Math.max(0, unappliedSinceNs + batchNs - nowNs);
  }

  synchronized long unappliedBytes() {
    return unappliedBytes;
  }

  /** Bytes of all segments. */
  synchronized long fileBytes() {
    return segments.stream().mapToLong(Segment::end).sum();
  }

  @Override
  public void close() throws IOException {
    for (Segment segment : segments) {
      segment.close();
    }
  }
}
