package io.remus.agent.verify;

import io.remus.agent.nativeio.PageHashes;
import io.remus.core.control.VerificationReport;
import io.remus.core.control.VerificationReport.Difference;
import io.remus.core.control.VerificationReport.Memory;
import io.remus.core.wire.Frame.MemorySums;
import io.remus.core.wire.RamBlock;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** A standby's sums against its primary's, of one epoch, as they come. Not thread-safe. */
final class MemoryComparison {
  private final long epoch;
  private final List<RamBlock> blocks;
  private final long[] sums;
  private final List<Difference> differences = new ArrayList<>();
  private int next;
  private int block;
  private long offset;
  private long different;

  /**
   * @param sums of the primary, through all blocks, one for each {@link PageHashes#SUM_BYTES} begun
   *     of each
   */
  MemoryComparison(long epoch, List<RamBlock> blocks, long[] sums) {
    this.epoch = epoch;
    this.blocks = List.copyOf(blocks);
    this.sums = sums.clone();
  }

  /**
   * Compares the next sums.
   *
   * @throws IllegalArgumentException when they are others
   */
  void learn(MemorySums told) {
    int count = told.sums().remaining() / Long.BYTES;
    if (told.epoch() != epoch || told.first() != next || count > sums.length - next) {
      throw new IllegalArgumentException(
          "sums %d to %d of epoch %d came in place of %d to %d of epoch %d"
              .formatted(
                  told.first(),
                  told.first() + count - 1,
                  told.epoch(),
                  next,
                  sums.length - 1,
                  epoch));
    }
    ByteBuffer standby = told.sums().duplicate();
    while (standby.hasRemaining()) {
      compare(standby.getLong());
    }
  }

  private void compare(long sum) {
    RamBlock in = blocks.get(block);
    long bytes = Math.min(PageHashes.SUM_BYTES, in.bytes() - offset);
    if (sum != sums[next]) {
      different++;
      if (differences.size() < VerificationReport.NAMED) {
        differences.add(new Difference(in.name(), offset, bytes));
      }
    }
    next++;
    offset += bytes;
    if (offset == in.bytes()) {
      block++;
      offset = 0;
    }
  }

  boolean isComplete() {
    return next == sums.length;
  }

  Memory result() {
    return new Memory(
        sums.length, blocks.stream().mapToLong(RamBlock::bytes).sum(), different, differences);
  }

  long epoch() {
    return epoch;
  }
}
