package io.remus.agent.disk;

import io.remus.agent.disk.replica.BlockHasher;
import io.remus.agent.disk.replica.BlockSums;
import io.remus.agent.guest.DiskSource;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;

/**
 * Hashes of what a guest's own disks hold at the end of an epoch, made while the guest writes.
 *
 * <p>A thread reads every block once, and again what was written since. A block that is read
 * between two pauses is at the second one what was read, unless the epoch wrote to it; and every
 * write of an epoch is told here before its pause. So when nothing is left to be read again, all
 * hashes are exact at a pause. A guest that never rests would always leave something: in the end,
 * {@link #settle}, each write is held for as long as it takes to read what it has made of its
 * blocks.
 *
 * <p>What was written is numbered as in the log, and counts at the pause that it lies before: the
 * guest runs on before anybody hears of its pause.
 */
public final class SourceHashes implements WriteWatch, Closeable {
  /** So long the thread reads before it rests as long: half of a disk is the guest's. */
  private static final long BUSY_NS = 4_000_000;

  /** Everything, and what was written meanwhile: little is left then. */
  private static final int PASSES = 2;

  /**
   * A block that was written.
   *
   * @param number of the write, as counted by the log
   * @param hash of what it is since; null when that has to be read yet
   */
  private record Written(long number, Disk disk, int block, ByteBuffer hash) {}

  private static final class Disk implements Closeable {
    final BlockHasher reading;
    final BlockHasher settling;
    final BlockSums sums;

    Disk(DiskSource source) throws IOException {
      sums = new BlockSums(source.bytes());
      reading = BlockHasher.open(source.raw(), source.bytes());
      try {
        settling = BlockHasher.open(source.raw(), source.bytes());
      } catch (IOException e) {
        reading.close();
        throw e;
      }
    }

    /** Not while somebody settles. */
    @Override
    public void close() throws IOException {
      reading.close();
      synchronized (settling) {
        settling.close();
      }
    }
  }

  private final WriteLog log;
  private final List<DiskSource> sources = new ArrayList<>();

  /** In the same order; null for one that cannot be read. */
  private final List<Disk> disks = new ArrayList<>();

  private final Runnable ended;
  private final Thread thread;

  // Guarded by this.
  private final Deque<Written> written = new ArrayDeque<>();
  private Disk disk;
  private int block = -1;
  private boolean spoilt;
  private int passes;
  private boolean settling;
  private boolean wasSettled;
  private String failure;

  private volatile boolean closed;
  private volatile long unreadBlocks;

  /**
   * @param vm names the thread
   * @param sources in the order of the log's disks
   * @param ended run when writes need not be told any more
   */
  public SourceHashes(String vm, WriteLog log, List<DiskSource> sources, Runnable ended) {
    this.log = log;
    this.ended = ended;
    for (DiskSource source : sources) {
      add(source);
    }
    unreadBlocks = blocks();
    thread = new Thread(this::read, "hashes-" + vm);
    thread.setDaemon(true);
  }

  private void add(DiskSource source) {
    Disk opened = null;
    DiskSource known = source;
    if (source.raw() != null) {
      try {
        opened = new Disk(source);
      } catch (IOException e) {
        known = new DiskSource(source.target(), source.bytes(), null, e.getMessage());
      }
    }
    sources.add(known);
    disks.add(opened);
  }

  /** Begins to read; from now on all that is written is told. */
  public void start() {
    thread.start();
  }

  /** The disks, with what keeps one from being read. */
  public List<DiskSource> sources() {
    return List.copyOf(sources);
  }

  /** A bit for each disk that is read. */
  public long mask() {
    long mask = 0;
    for (int i = 0; i < disks.size(); i++) {
      mask |= disks.get(i) == null ? 0 : 1L << i;
    }
    return mask;
  }

  /** All blocks of the disks that are read. */
  public long blocks() {
    return disks.stream().mapToLong(one -> one == null ? 0 : one.sums.blocks()).sum();
  }

  /** Those that were not read once. Any thread. */
  public long unreadBlocks() {
    return unreadBlocks;
  }

  /** Why a disk could not be read; null while they can. */
  public synchronized String failure() {
    return failure;
  }

  // ---- the thread that reads

  private void read() {
    long sinceNs = System.nanoTime();
    while (!closed && failure() == null) {
      if (!next()) {
        LockSupport.park(this);
        sinceNs = System.nanoTime();
        continue;
      }
      hash();
      long busyNs = System.nanoTime() - sinceNs;
      if (busyNs >= BUSY_NS && !isSettling()) {
        LockSupport.parkNanos(this, busyNs);
        sinceNs = System.nanoTime();
      }
    }
    close();
    disks.stream().filter(Objects::nonNull).forEach(this::close);
  }

  private void close(Disk ended) {
    try {
      ended.close();
    } catch (IOException e) {
      fail(e);
    }
  }

  /** Chooses the next block to be read; returns false when there is none. */
  private synchronized boolean next() {
    int from = block + 1;
    int at = disk == null ? 0 : disks.indexOf(disk);
    for (; at < disks.size(); at++) {
      Disk found = disks.get(at);
      block = found == null ? -1 : found.sums.nextStale(from);
      if (block >= 0) {
        disk = found;
        spoilt = false;
        return true;
      }
      from = 0;
    }
    disk = null;
    block = -1;
    boolean whole = isWhole();
    passes = whole ? PASSES : passes + 1;
    return !whole && next();
  }

  private synchronized boolean isWhole() {
    return disks.stream().allMatch(one -> one == null || one.sums.isWhole());
  }

  private void hash() {
    try {
      disk.reading.forgetHoles();
      ByteBuffer hash = disk.reading.hash(block);
      synchronized (this) {
        if (!spoilt) {
          disk.sums.put(block, hash);
        }
        unreadBlocks -= passes == 0 ? 1 : 0;
      }
    } catch (IOException e) {
      fail(e);
    }
  }

  private synchronized void fail(IOException e) {
    failure = "a disk cannot be read: " + e.getMessage();
  }

  // ---- whoever serves the disks

  @Override
  public void written(int number, long offset, long length) {
    Disk changed = disks.get(number);
    if (changed == null || closed) {
      return;
    }
    int last = BlockSums.firstBlock(offset + length - 1);
    for (int one = BlockSums.firstBlock(offset); one <= last; one++) {
      ByteBuffer hash = isSettling() ? settled(changed, one) : null;
      synchronized (this) {
        written.addLast(new Written(log.newest() + 1, changed, one, hash));
      }
    }
  }

  private synchronized boolean isSettling() {
    return settling;
  }

  private ByteBuffer settled(Disk changed, int one) {
    synchronized (changed.settling) {
      if (closed) {
        return null;
      }
      try {
        changed.settling.forgetHoles();
        return changed.settling.hash(one);
      } catch (IOException e) {
        fail(e);
        return null;
      }
    }
  }

  // ---- the epochs

  /** A pass has read what there was, and what was written meanwhile. */
  public synchronized boolean isNearlyRead() {
    return passes >= PASSES || blocks() == 0;
  }

  /** From now on nothing that is written is left to be read again: the guest waits for it. */
  public synchronized void settle() {
    settling = true;
  }

  /**
   * An epoch has ended.
   *
   * @param writes how many there were in the log at its pause
   * @return whether all hashes are what the disks were at that pause. They stay so if this is not
   *     called again.
   */
  public synchronized boolean ended(long writes) {
    for (Written first = written.peekFirst();
        first != null && first.number() <= writes;
        first = written.peekFirst()) {
      count(written.removeFirst());
    }
    boolean whole = isWhole();
    if (!whole) {
      LockSupport.unpark(thread);
    }
    // Whatever is read after a pause may be of the next epoch.
    boolean exact = whole && wasSettled;
    wasSettled = whole && settling;
    return exact;
  }

  private void count(Written one) {
    spoilt |= one.disk() == disk && one.block() == block;
    if (one.hash() == null) {
      one.disk().sums.change(one.block());
    } else {
      one.disk().sums.put(one.block(), one.hash());
    }
  }

  // ---- the comparison

  /** Blocks of a disk. */
  public int blocks(int number) {
    return disks.get(number).sums.blocks();
  }

  /** Whether a block's hash is the one that is next in {@code other}, which moves on. */
  public boolean matches(int number, int block, ByteBuffer other) {
    return disks.get(number).sums.matches(block, other);
  }

  /** Reads no more and is told nothing more; hashes that are there can be compared. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      ended.run();
      LockSupport.unpark(thread);
    }
  }
}
