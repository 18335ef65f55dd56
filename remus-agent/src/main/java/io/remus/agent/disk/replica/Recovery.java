package io.remus.agent.disk.replica;

import io.remus.core.wire.DiskImage;
import io.remus.core.wire.DiskRecords;
import io.remus.core.wire.ProtocolException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.UUID;

/**
 * Brings the images that an agent left to the last epoch that their journal holds. All of the
 * journal is read and checked before any image is touched.
 */
final class Recovery {
  private static final int SEARCH_BYTES = 1 << 20;

  private final Storage storage;
  private final Path directory;
  private final RecordFile file;
  private final ReplicaRecord record;
  private final List<DiskImage> disks;
  private CommitPoint point;
  private long epochs;

  /** A segment whose records up to {@code end} count. */
  private record Replayable(BlockFile file, SegmentHead head, long end) implements Closeable {
    @Override
    public void close() throws IOException {
      file.close();
    }
  }

  private Recovery(Storage storage, Path directory, RecordFile file) {
    this.storage = storage;
    this.directory = directory;
    this.file = file;
    record = file.current();
    disks = record.images();
    point = record.point();
  }

  /**
   * Recovers one VM's replica, whose record was read.
   *
   * @return number of epochs replayed
   * @throws DamagedJournalException when the images cannot be brought to one epoch; nothing was
   *     changed
   */
  static long run(Storage storage, Path directory, RecordFile file) throws IOException {
    return new Recovery(storage, directory, file).run();
  }

  private long run() throws IOException {
    // The last agent may have ended between the record's rename and the force behind it: nothing
    // may
    // be deleted for the sake of a record that a power cut would take back.
    storage.forceDirectory(directory);
    if (record.state() == ReplicaState.CONSISTENT && record.journal() > 0) {
      replay();
    }
    for (Path left : SegmentNames.list(storage, directory).values()) {
      storage.delete(left);
    }
    return epochs;
  }

  private void replay() throws IOException {
    List<Replayable> segments = new ArrayList<>();
    try {
      check(segments);
      for (Replayable segment : segments) {
        segment.file().force();
      }
      apply(segments);
    } finally {
      for (Replayable segment : segments) {
        segment.close();
      }
    }
    CommitPoint reached = point;
    file.update(before -> before.consistent(reached, 0));
  }

  // ---- what there is

  private void check(List<Replayable> segments) throws IOException {
    SortedMap<Long, Path> names = SegmentNames.list(storage, directory).tailMap(record.journal());
    long expected = record.journal();
    CommitPoint before = null;
    for (Map.Entry<Long, Path> name : names.entrySet()) {
      if (name.getKey() != expected++) {
        throw new DamagedJournalException(name.getValue(), "the segment before it is missing");
      }
      boolean isLast = name.getKey().equals(names.lastKey());
      BlockFile opened = storage.open(name.getValue());
      Replayable segment = check(opened, name.getKey(), before, isLast);
      if (segment == null) {
        opened.close();
      } else {
        segments.add(segment);
        before = point;
      }
    }
    if (segments.isEmpty() || point.isBefore(record.point())) {
      throw new DamagedJournalException(
          SegmentNames.file(directory, record.journal()),
          "it ends before %s, which was on disk".formatted(record.point()));
    }
  }

  /** Returns null for a segment whose making was cut short, so that nothing was in it. */
  private Replayable check(BlockFile opened, long number, CommitPoint before, boolean isLast)
      throws IOException {
    boolean good = false;
    try {
      SegmentHead head = SegmentHead.read(opened);
      int headBytes = SegmentHead.encode(number, 0, vm(), CommitPoint.NONE, disks).remaining();
      if (head == null && isLast && before != null && opened.size() <= headBytes) {
        return null;
      }
      if (head == null
          || head.number() != number
          || !head.vm().equals(vm())
          || !head.disks().equals(disks)
          || (before != null && !head.before().equals(before))) {
        throw new DamagedJournalException(
            opened.path(), "its beginning is not that of this VM's next segment");
      }
      point = head.before();
      long end = scan(opened, head, isLast);
      good = true;
      return new Replayable(opened, head, end);
    } finally {
      if (!good) {
        opened.close();
      }
    }
  }

  private UUID vm() {
    return UUID.fromString(record.uuid());
  }

  /** Returns where the last committed epoch ends. */
  private long scan(BlockFile opened, SegmentHead head, boolean isLast) throws IOException {
    long end = head.bytes();
    long size = opened.size();
    try (SegmentReader reader = new SegmentReader(opened, head)) {
      while (reader.next(size)) {
        RecordHead found = reader.record();
        if (found.kind() == RecordHead.Kind.COMMIT) {
          end = reader.position();
          point = new CommitPoint(found.term(), found.epoch(), found.atMs());
          epochs++;
        } else {
          check(opened, reader);
        }
      }
      if (!isLast && end != size) {
        throw new DamagedJournalException(
            opened.path(), "no good record at byte %d".formatted(reader.position()));
      }
      if (isLast) {
        refuseDamage(opened, head, reader.position(), size);
      }
    }
    return end;
  }

  private void check(BlockFile opened, SegmentReader reader) throws IOException {
    try {
      DiskRecords.check(reader.data(), disks);
    } catch (ProtocolException e) {
      throw new DamagedJournalException(
          opened.path(), "before byte %d: %s".formatted(reader.position(), e.getMessage()));
    }
  }

  /**
   * A tail that was never forced may be torn. When a commit record behind it says that the place
   * was on disk already, it is no tail: epochs that were promised to be there are lost.
   */
  private void refuseDamage(BlockFile opened, SegmentHead head, long from, long size)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(SEARCH_BYTES);
    for (long at = from; at < size; at += SEARCH_BYTES - RecordHead.BYTES + 1) {
      bytes.clear().limit((int) Math.min(SEARCH_BYTES, size - at));
      opened.read(at, bytes);
      bytes.flip();
      for (int i = 0; i + RecordHead.BYTES <= bytes.limit(); i++) {
        RecordHead found =
            bytes.getInt(i) == RecordHead.MAGIC
                ? RecordHead.decode(head.key(), bytes.position(i))
                : null;
        if (found != null && found.forced() > from) {
          throw new DamagedJournalException(
              opened.path(),
              "no good record at byte %d, but a later one says that it was on disk"
                  .formatted(from));
        }
      }
    }
  }

  // ---- what becomes of it

  private void apply(List<Replayable> segments) throws IOException {
    try (Images images = new Images(ImageFiles.open(storage, record.vm(), record.disks()))) {
      for (Replayable segment : segments) {
        try (SegmentReader reader = new SegmentReader(segment.file(), segment.head())) {
          while (reader.position() < segment.end()) {
            if (!reader.next(segment.end())) {
              throw new DamagedJournalException(
                  segment.file().path(), "it reads otherwise than a moment ago");
            }
            if (reader.record().kind() == RecordHead.Kind.DATA) {
              images.apply(reader.data());
            }
          }
        }
      }
      images.force();
    }
  }
}
