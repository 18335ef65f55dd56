package io.remus.agent.disk.replica;

import io.netty.buffer.ByteBuf;
import io.remus.core.control.DiskDurability;
import io.remus.core.wire.DiskImage;
import io.remus.core.wire.DiskRecords;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.Consumer;

/**
 * A VM's disks on its backup, as epochs arrive. Package documentation has the order of writes.
 *
 * <p>Owned by one thread, which may block in it for as long as the disk takes; do not interrupt
 * that thread, for an interrupt closes the files. {@link #hashes}, {@link #unappliedBytes}, {@link
 * #journalBytes} and {@link #info} may be called by any thread.
 *
 * <p>The first error of the disk ends it: every later call throws the same. An agent that starts
 * anew finds all that was committed.
 */
public final class Replica implements Closeable {
  /** Bound of the journal that nobody needs to change. */
  public static final long JOURNAL_BYTES = 1L << 30;

  /** Less leaves no room for segments of more than a chunk. */
  public static final long LEAST_JOURNAL_BYTES = 64 << 10;

  private static final long ANY_BYTES = Long.MAX_VALUE;

  private final Storage storage;
  private final InstantSource clock;
  private final List<DiskImage> disks;
  private final List<Boolean> blank;
  private final ReplicaRecord fresh;
  private final DiskDurability durability;
  private final Images images;
  private final Journal journal;
  private final RecordFile record;
  private final Applying applying;
  private final Applier applier;
  private final FirstFailure failure;
  private final long applyBytes;
  private long term;
  private boolean closed;

  Replica(
      Storage storage,
      InstantSource clock,
      OpenedReplica opened,
      long journalBytes,
      DiskDurability durability,
      Consumer<IOException> broken) {
    this.storage = storage;
    this.clock = clock;
    this.durability = durability;
    disks = opened.spec().disks();
    blank = opened.blank();
    fresh = opened.fresh();
    record = opened.record();
    images = new Images(opened.files());
    journal = opened.journal(storage, journalBytes);
    failure = new FirstFailure(opened.spec().vm(), broken);
    applying = new Applying(journal, images, record, System::nanoTime);
    applier = new Applier(opened.spec().vm(), applying, journal, images, journalBytes, failure);
    applyBytes = Applier.batchBytes(journalBytes);
  }

  /**
   * Makes the images ready, recovering first what an earlier agent left. What is known of the VM's
   * disks stays valid until {@link #beginSynchronisation}, unless an image had to be made anew.
   *
   * @param directory of all replicas on this host
   * @param journalBytes bound of the journal; one epoch that is larger still gets through
   * @param durability when {@link #commit} returns
   * @param broken told of an error of the applier's, on its thread, at most once
   * @throws ReplicaException when the images must not be used
   */
  public static Replica open(
      Path directory,
      ReplicaSpec spec,
      long journalBytes,
      DiskDurability durability,
      Consumer<IOException> broken)
      throws IOException {
    Replica replica =
        open(
            new FileStorage(),
            InstantSource.system(),
            directory,
            spec,
            journalBytes,
            durability,
            broken);
    replica.applier.start();
    return replica;
  }

  /** Without a thread that applies: tests do it themselves. */
  static Replica open(
      Storage storage,
      InstantSource clock,
      Path directory,
      ReplicaSpec spec,
      long journalBytes,
      DiskDurability durability,
      Consumer<IOException> broken)
      throws IOException {
    if (journalBytes < LEAST_JOURNAL_BYTES) {
      throw new IllegalArgumentException(
          "a journal takes at least %d bytes, not %d".formatted(LEAST_JOURNAL_BYTES, journalBytes));
    }
    OpenedReplica opened = OpenedReplica.open(storage, directory, spec);
    return new Replica(storage, clock, opened, journalBytes, durability, broken);
  }

  /** Files and devices that hold the disks, in their order. */
  public List<Path> images() {
    return images.paths();
  }

  /** Whether the image of a disk was just made: all zeroes. */
  public boolean blank(int disk) {
    return blank.get(disk);
  }

  /**
   * Hashes what the image of a disk holds, on the calling thread. Not after {@link
   * #beginSynchronisation}.
   *
   * @throws IOException of the disk or of the sink
   */
  public void hashes(int disk, HashSink sink) throws IOException {
    try (ImageFile image = storage.openImage(images.paths().get(disk), false)) {
      new BlockHasher(image, disks.get(disk).bytes()).hash(disk, sink);
    }
  }

  /**
   * What was replicated so far is void: on disk before this returns.
   *
   * @param newTerm the primary's term, of all epochs that follow
   */
  public void beginSynchronisation(long newTerm) throws IOException {
    guarded(() -> applying.restart(fresh));
    term = newTerm;
  }

  /**
   * Writes records of the initial synchronisation to the images.
   *
   * @param records stay the caller's
   * @throws io.remus.core.wire.ProtocolException when they are malformed
   */
  public void synchronise(ByteBuf records) throws IOException {
    expectBegun();
    expect(ReplicaState.SYNCING);
    DiskRecords.check(records, disks);
    guarded(() -> images.apply(records));
    if (images.unforcedBytes() >= Applying.UNFORCED_BYTES) {
      applier.nudge();
    }
  }

  /**
   * Keeps records of an epoch that is arriving. Blocks while the journal is full, for as long as
   * applying takes.
   *
   * @param records stay the caller's
   * @throws io.remus.core.wire.ProtocolException when they are malformed
   */
  public void stage(long epoch, ByteBuf records) throws IOException {
    expectEpochs();
    DiskRecords.check(records, disks);
    guarded(
        () -> {
          while (journal.mustWaitFor(records.readableBytes()) && applying.step(applyBytes)) {
            failure.check();
          }
          journal.append(term, epoch, records);
        });
  }

  /**
   * From here on the disks are at this epoch, also when it wrote nothing. Returns when that
   * outlives what the durability names; the first time after a synchronisation, and after {@link
   * #settle}, when all is on disk.
   *
   * @throws IllegalArgumentException when term or epoch would go back
   */
  public void commit(long ofTerm, long epoch) throws IOException {
    expectEpochs();
    CommitPoint point = new CommitPoint(ofTerm, epoch, clock.millis());
    if (ofTerm != term || !journal.last().isBefore(point)) {
      throw new IllegalArgumentException(
          "%s cannot follow %s in term %d".formatted(point, journal.last(), term));
    }
    guarded(() -> commit(point));
    applier.nudge();
  }

  private void commit(CommitPoint point) throws IOException {
    journal.appendCommit(point);
    if (record.current().journal() == 0) {
      images.force();
      journal.forceAppended();
      record.update(before -> before.consistent(point, journal.currentNumber()));
    } else if (durability == DiskDurability.JOURNAL && journal.epochHasRecords()) {
      journal.forceAppended();
    }
    journal.publish(point, System.nanoTime());
  }

  /** Throws away the epoch that is arriving. */
  public void discard() throws IOException {
    guarded(journal::discard);
  }

  /**
   * Brings the images to the last committed epoch, on disk, and empties the journal: a guest may be
   * started on them after {@link #activated}. Without a committed epoch they stay void.
   */
  public void settle() throws IOException {
    guarded(
        () -> {
          journal.discard();
          if (record.current().state() == ReplicaState.SYNCING) {
            applying.restart(record.current());
          } else {
            journal.seal();
            drain();
          }
        });
  }

  private void drain() throws IOException {
    while (applying.step(ANY_BYTES)) {
      failure.check();
    }
  }

  /**
   * A guest writes the images from now on: on disk before this returns. Only {@link #close} and a
   * new synchronisation may follow.
   *
   * @param newTerm the term that the VM is activated under
   */
  public void activated(long newTerm) throws IOException {
    expect(ReplicaState.CONSISTENT);
    if (record.current().journal() != 0) {
      throw new IllegalStateException("the replica is not settled");
    }
    guarded(() -> record.update(before -> before.active(newTerm)));
  }

  /**
   * Begins second copies of the disks, one at a time. Any thread; see {@link ImageCopies}.
   *
   * @param files that do not exist yet, in the order of the disks
   */
  public ImageCopies copyTo(List<Path> files) throws IOException {
    ImageCopies copies =
        new ImageCopies(applying, failure, applyBytes, images, disks, new Images(empty(files)));
    try {
      copies.begin();
      return copies;
    } catch (IOException | RuntimeException e) {
      copies.close();
      throw e;
    }
  }

  /**
   * Copies that are not finished get nothing more: they take time of whoever applies. Any thread.
   */
  public void stopCopies() {
    applying.unfollow(ImageCopies.class);
  }

  /**
   * Begins to hash what the images hold, at one time only. Any thread; see {@link ImageHashes}.
   *
   * @param wanted disks to be hashed
   */
  public ImageHashes hash(BitSet wanted) throws IOException {
    ImageHashes hashes = new ImageHashes(applying, failure, applyBytes, images, disks, wanted);
    hashes.begin();
    return hashes;
  }

  private List<ImageFile> empty(List<Path> files) throws IOException {
    List<ImageFile> opened = new ArrayList<>();
    try {
      for (int i = 0; i < files.size(); i++) {
        storage.createImage(files.get(i), disks.get(i).bytes());
        opened.add(storage.openImage(files.get(i), true));
      }
      return opened;
    } catch (IOException | RuntimeException e) {
      for (ImageFile file : opened) {
        file.close();
      }
      throw e;
    }
  }

  /** Bytes of committed epochs that are not in the images yet. */
  public long unappliedBytes() {
    return journal.unappliedBytes();
  }

  /** Bytes of all journal files. */
  long journalBytes() {
    return journal.fileBytes();
  }

  /** What is known of the replica now. */
  public ReplicaInfo info() {
    ReplicaRecord known = record.current();
    CommitPoint last = journal.last();
    return Replicas.info(
        known.state() == ReplicaState.CONSISTENT && known.point().isBefore(last)
            ? known.consistent(last, known.journal())
            : known);
  }

  /** Applies what is due, as the applier would. */
  boolean applySome(long mostBytes) throws IOException {
    return applying.step(mostBytes);
  }

  private void expectBegun() {
    if (term == 0) {
      throw new IllegalStateException("no synchronisation has begun");
    }
  }

  private void expectEpochs() {
    expectBegun();
    if (record.current().state() == ReplicaState.ACTIVE) {
      throw new IllegalStateException("a guest writes the images");
    }
  }

  private void expect(ReplicaState state) {
    if (record.current().state() != state) {
      throw new IllegalStateException(
          "the replica is %s, not %s".formatted(record.current().state(), state));
    }
  }

  /** What touches the disk. */
  private interface DiskWork {
    void run() throws IOException;
  }

  private void guarded(DiskWork work) throws IOException {
    failure.check();
    try {
      work.run();
    } catch (IOException e) {
      throw failure.keep(e);
    }
  }

  /** Leaves everything as it is, for {@link Replicas#recover}. */
  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    try {
      applier.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("while the applier was ended");
    }
    applying.unfollow(ImageFollower.class);
    try {
      journal.close();
    } finally {
      images.close();
    }
  }
}
