package io.remus.agent.verify;

import io.remus.agent.disk.SourceHashes;
import io.remus.agent.nativeio.Arena;
import io.remus.agent.nativeio.NativeException;
import io.remus.agent.nativeio.PageHashes;
import io.remus.agent.primary.EpochWatch;
import io.remus.core.control.VerificationProgress;
import io.remus.core.control.VerificationReport;
import io.remus.core.control.VerificationReport.Disk;
import io.remus.core.control.VerificationReport.Memory;
import io.remus.core.epoch.EpochId;
import io.remus.core.epoch.Term;
import io.remus.core.wire.Frame;
import io.remus.core.wire.RamBlock;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * Compares a guest's memory and disks with those of its standby at one epoch, and stops nothing for
 * it.
 *
 * <p>Every page is hashed once where it lies while the guest runs, and once more from the arena
 * whenever an epoch has captured it. What is read while the guest runs may be of the epoch under
 * way, or torn, but then the guest writes the page in that epoch, and its capture puts the hash
 * right. So once every page was hashed, the sums are exact at the end of each epoch, at no cost
 * within the pause. The backup does the same with what it applies; when both are through, it is
 * asked, right behind an epoch's end, for what it holds then.
 *
 * <p>Disks are hashed by {@link SourceHashes}, a thread of their own; they settle when all else is
 * through.
 *
 * <p>The loop's thread hashes memory; answers are heard on one other thread.
 */
public final class PrimaryVerification implements EpochWatch {
  private static final int SLICE_PAGES = 256;

  /** A page, in blocks of a disk. */
  private static final double PAGE_OF_A_BLOCK =
      (double) RamBlock.PAGE_BYTES / Frame.BlockHashes.BLOCK_BYTES;

  private final String vm;
  private final String peer;
  private final List<RamBlock> blocks;
  private final SourceHashes disks;
  private final PageHashes hashes;
  private final Consumer<Frame> backup;
  private final long pages;
  private final CompletableFuture<VerificationReport> report = new CompletableFuture<>();
  private final long beganAtNs = System.nanoTime();
  private boolean hashed;
  private volatile long pagesLeft;
  private volatile boolean over;
  private volatile boolean backupHashed;
  private volatile MemoryComparison comparison;
  private volatile DiskComparison diskComparison;

  /**
   * @param blocks of the guest, in PREPARE's order
   * @param disks hashes of the guest's disks, begun; closed here
   * @param hashes of the guest's memory, none made yet; closed here
   * @param backup takes frames for the backup, on any thread
   */
  public PrimaryVerification(
      String vm,
      String peer,
      List<RamBlock> blocks,
      SourceHashes disks,
      PageHashes hashes,
      Consumer<Frame> backup) {
    this.vm = vm;
    this.peer = peer;
    this.blocks = List.copyOf(blocks);
    this.disks = disks;
    this.hashes = hashes;
    this.backup = backup;
    this.pages = blocks.stream().mapToLong(RamBlock::bytes).sum() / RamBlock.PAGE_BYTES;
    this.pagesLeft = pages;
  }

  /** Asks the backup to hash, too; this is to be the loop's watch already. */
  public void start(Term term) {
    backup.accept(new Frame.Verify(term.number(), disks.mask()));
  }

  /** Completes with what was found; fails with a {@link VerificationException}. */
  public CompletableFuture<VerificationReport> report() {
    return report;
  }

  /** Whether it has an answer, and another one may begin. */
  public boolean isOver() {
    return over && report.isDone();
  }

  /** How far it is; any thread. */
  public VerificationProgress progress() {
    double all = pages * PAGE_OF_A_BLOCK + disks.blocks();
    double left = pagesLeft * PAGE_OF_A_BLOCK + disks.unreadBlocks();
    return new VerificationProgress(100 * (all - left) / all, backupHashed);
  }

  @Override
  public boolean work() {
    if (hashed || report.isDone()) {
      return false;
    }
    try {
      pagesLeft = hashes.step(SLICE_PAGES);
      hashed = pagesLeft == 0;
    } catch (NativeException e) {
      fail(e.getMessage());
    }
    return !hashed;
  }

  @Override
  public void captured(Arena arena) {
    if (!report.isDone()) {
      hashes.captured(arena);
    }
  }

  @Override
  public boolean sent(EpochId epoch, long writes) {
    if (report.isDone()) {
      close();
      return false;
    }
    boolean exact = disks.ended(writes);
    if (disks.failure() != null) {
      fail(disks.failure());
      close();
      return false;
    }
    if (!hashed || !backupHashed || !disks.isNearlyRead()) {
      return true;
    }
    disks.settle();
    if (!exact) {
      return true;
    }
    try {
      diskComparison = new DiskComparison(epoch.number(), disks);
      comparison = new MemoryComparison(epoch.number(), blocks, hashes.sums());
      backup.accept(new Frame.VerifyEpoch(epoch.number()));
    } catch (NativeException e) {
      fail(e.getMessage());
    }
    close();
    return false;
  }

  private void close() {
    hashes.close();
    disks.close();
    over = true;
  }

  /** The backup says something, maybe of this. */
  public void hear(Frame frame) {
    if (frame instanceof Frame.Hashed) {
      backupHashed = true;
    } else if (frame instanceof Frame.Unverified f) {
      fail(peer + " cannot say what its standby holds: " + f.message());
    } else if (comparison != null && !report.isDone()) {
      learn(frame);
    }
  }

  private void learn(Frame frame) {
    try {
      if (frame instanceof Frame.MemorySums f) {
        comparison.learn(f);
      } else if (frame instanceof Frame.DiskHashes f) {
        diskComparison.learn(f);
      }
    } catch (IllegalArgumentException e) {
      fail(peer + " answered what it was not asked: " + e.getMessage());
      return;
    }
    if (comparison.isComplete() && diskComparison.isComplete()) {
      Memory memory = comparison.result();
      List<Disk> found = diskComparison.result();
      report.complete(
          new VerificationReport(
              vm,
              peer,
              comparison.epoch(),
              memory.different() == 0 && found.stream().allMatch(disk -> disk.different() == 0),
              memory,
              found,
              (System.nanoTime() - beganAtNs) / 1e9));
    }
  }

  private void fail(String why) {
    report.completeExceptionally(new VerificationException(why));
  }

  /** The loop has ended: there will be no epoch to compare at. */
  public void epochsEnded() {
    close();
    if (comparison == null) {
      fail("its protection ended meanwhile");
    }
  }

  /** Nobody is there to answer any more. */
  public void linkClosed() {
    fail("the connection to " + peer + " was lost meanwhile");
  }
}
