package io.remus.agent.disk.replica;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Moves committed epochs from the journal to the images, piece by piece; whichever thread asks: the
 * applier, or the owner when it needs room or wants everything applied.
 */
final class Applying {
  /** So much may wait in the page cache before the images are forced, which bounds later forces. */
  static final long UNFORCED_BYTES = 64 << 20;

  private final Journal journal;
  private final Images images;
  private final RecordFile record;
  private final LongSupplier clockNs;

  private final List<ImageFollower> followers = new ArrayList<>();

  Applying(Journal journal, Images images, RecordFile record, LongSupplier clockNs) {
    this.journal = journal;
    this.images = images;
    this.record = record;
    this.clockNs = clockNs;
  }

  /**
   * Does the oldest work there is.
   *
   * @param mostBytes about how much to apply at most
   * @return false when there was nothing to do
   */
  synchronized boolean step(long mostBytes) throws IOException {
    boolean flush = images.unforcedBytes() >= UNFORCED_BYTES;
    if (flush) {
      images.force();
    }
    Segment segment = journal.oldest();
    return (segment != null && step(segment, mostBytes)) || flush;
  }

  private boolean step(Segment segment, long mostBytes) throws IOException {
    boolean sealed = journal.isSealed(segment);
    long end = journal.committed(segment);
    boolean behind = segment.reader().position() < end;
    if (behind) {
      journal.force(segment, end);
      apply(segment, end, mostBytes);
    }
    if (sealed && segment.reader().position() == end) {
      finish(segment);
      return true;
    }
    return behind;
  }

  private void apply(Segment segment, long end, long mostBytes) throws IOException {
    SegmentReader reader = segment.reader();
    long bytes = 0;
    while (reader.position() < end && bytes < mostBytes) {
      if (!reader.next(end)) {
        throw new DamagedJournalException(
            segment.file().path(),
            "what was written at byte %d reads otherwise".formatted(reader.position()));
      }
      if (reader.record().kind() == RecordHead.Kind.DATA) {
        for (ImageFollower follower : followers) {
          follower.apply(reader.data(), segment.number(), reader.position());
        }
        images.apply(reader.data());
        bytes += reader.record().length();
      }
    }
    journal.applied(bytes, clockNs.getAsLong());
  }

  private void finish(Segment segment) throws IOException {
    images.force();
    long second = journal.second();
    record.update(before -> before.consistent(segment.last(), second));
    journal.removeOldest();
  }

  /** From here on it is told of what the images get. One of a kind at a time. */
  synchronized void follow(ImageFollower follower) {
    if (followers.stream().anyMatch(other -> other.getClass() == follower.getClass())) {
      throw new IllegalStateException("the images are followed for that already");
    }
    followers.add(follower);
  }

  /** Those of a kind are told nothing more, and read the images no more when this returns. */
  synchronized void unfollow(Class<? extends ImageFollower> kind) {
    followers.stream().filter(kind::isInstance).forEach(ImageFollower::detached);
    followers.removeIf(kind::isInstance);
  }

  /** The same for one of them. */
  synchronized void unfollow(ImageFollower follower) {
    if (followers.remove(follower)) {
      follower.detached();
    }
  }

  /** Where the last commit ends; for the replica's owner. */
  JournalPlace place() {
    return journal.place();
  }

  /** Whether the images have all that lies before a place of the journal. */
  synchronized boolean hasApplied(JournalPlace place) {
    Segment oldest = journal.oldest();
    return oldest == null
        || oldest.number() > place.segment()
        || (oldest.number() == place.segment() && oldest.reader().position() >= place.end());
  }

  /** Work on the images while nobody applies. */
  synchronized <T> T meanwhile(StillWork<T> work) throws IOException {
    return work.run();
  }

  /** What {@link #meanwhile} does. */
  interface StillWork<T> {
    T run() throws IOException;
  }

  /** Drops the journal, after what {@code fresh} says is on disk. */
  synchronized void restart(ReplicaRecord fresh) throws IOException {
    unfollow(ImageFollower.class);
    record.update(before -> fresh);
    journal.clear();
  }
}
