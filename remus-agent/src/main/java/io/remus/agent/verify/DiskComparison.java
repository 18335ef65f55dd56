package io.remus.agent.verify;

import io.remus.agent.disk.SourceHashes;
import io.remus.agent.guest.DiskSource;
import io.remus.core.control.VerificationReport;
import io.remus.core.control.VerificationReport.Disk;
import io.remus.core.wire.Frame.BlockHashes;
import io.remus.core.wire.Frame.DiskHashes;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** A replica's hashes against those of the guest's disks, of one epoch, as they come. */
final class DiskComparison {
  private final long epoch;
  private final SourceHashes hashes;
  private final List<DiskSource> sources;
  private final List<Disk> compared = new ArrayList<>();
  private final List<Long> differences = new ArrayList<>();
  private int next;
  private long different;

  /**
   * @param hashes which stay what they are
   */
  DiskComparison(long epoch, SourceHashes hashes) {
    this.epoch = epoch;
    this.hashes = hashes;
    this.sources = hashes.sources();
    passDisks();
  }

  /** Those that are not compared, and what is through. */
  private void passDisks() {
    while (compared.size() < sources.size()) {
      DiskSource source = sources.get(compared.size());
      if (source.obstacle() != null) {
        compared.add(Disk.notCompared(source.target(), source.obstacle()));
      } else if (next == hashes.blocks(compared.size())) {
        compared.add(new Disk(source.target(), source.bytes(), next, different, differences, null));
        next = 0;
        different = 0;
        differences.clear();
      } else {
        return;
      }
    }
  }

  /**
   * Compares the next hashes.
   *
   * @throws IllegalArgumentException when they are others
   */
  void learn(DiskHashes told) {
    BlockHashes blocks = told.blocks();
    int disk = compared.size();
    int count = blocks.hashes().remaining() / BlockHashes.HASH_BYTES;
    if (told.epoch() != epoch
        || isComplete()
        || blocks.disk() != disk
        || blocks.firstBlock() != next
        || count > hashes.blocks(disk) - next) {
      throw new IllegalArgumentException(
          "hashes of blocks %d to %d of disk %d at epoch %d came in place of %d of disk %d at %d"
              .formatted(
                  blocks.firstBlock(),
                  blocks.firstBlock() + count - 1,
                  blocks.disk(),
                  told.epoch(),
                  next,
                  disk,
                  epoch));
    }
    ByteBuffer standby = blocks.hashes().duplicate();
    while (standby.hasRemaining()) {
      compare(disk, standby);
    }
    passDisks();
  }

  private void compare(int disk, ByteBuffer standby) {
    if (!hashes.matches(disk, next, standby)) {
      different++;
      if (differences.size() < VerificationReport.NAMED) {
        differences.add((long) next * BlockHashes.BLOCK_BYTES);
      }
    }
    next++;
  }

  boolean isComplete() {
    return compared.size() == sources.size();
  }

  /** In the order of PREPARE. */
  List<Disk> result() {
    return List.copyOf(compared);
  }
}
