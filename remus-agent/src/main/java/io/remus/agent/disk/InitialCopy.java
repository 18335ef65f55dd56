package io.remus.agent.disk;

import io.netty.buffer.ByteBuf;
import java.util.BitSet;

/**
 * Lets through, of what the mirror job writes while it copies a disk, only what the replica does
 * not hold already. The job first zeroes the whole target and then writes what is allocated, so a
 * zeroed block is not told before it is known that nothing else follows: at {@link #finish}, or
 * when a part of it is written. Not thread-safe.
 */
final class InitialCopy {
  private static final int BLOCK = ReplicaBlocks.BLOCK;

  private final int disk;
  private final WriteLog log;
  private final ReplicaBlocks replica;
  private final BitSet zeroed = new BitSet();

  InitialCopy(int disk, WriteLog log, ReplicaBlocks replica) {
    this.disk = disk;
    this.log = log;
    this.replica = replica;
  }

  /** As {@link WriteLog#write}. */
  void write(long offset, ByteBuf data, Runnable answer) {
    long end = offset + data.readableBytes();
    long from = offset; // of what has to be sent and is not yet
    for (long at = offset; at < end; ) {
      long block = at / BLOCK;
      long next = Math.min(end, block * BLOCK + replica.length(block));
      boolean whole = next - at == replica.length(block);
      if (whole && replica.holds(block, data.slice(index(data, offset, at), (int) (next - at)))) {
        send(data, offset, from, at);
        from = next;
      } else {
        if (!whole) {
          zeroRest(block);
        }
        replica.change(block);
      }
      zeroed.clear((int) block);
      at = next;
    }
    send(data, offset, from, end);
    data.release();
    log.afterLogged(answer);
  }

  private static int index(ByteBuf data, long offset, long at) {
    return data.readerIndex() + (int) (at - offset);
  }

  private void send(ByteBuf data, long offset, long from, long to) {
    if (from < to) {
      int length = (int) (to - from);
      int index = index(data, offset, from);
      // A slice would keep the whole request's memory.
      boolean most = length > data.readableBytes() / 2;
      log.write(disk, from, most ? data.retainedSlice(index, length) : data.copy(index, length));
    }
  }

  /** As {@link WriteLog#zero}. */
  void zero(long offset, long length, Runnable answer) {
    long end = offset + length;
    for (long at = offset; at < end; ) {
      long block = at / BLOCK;
      long next = Math.min(end, block * BLOCK + replica.length(block));
      if (next - at == replica.length(block)) {
        zeroed.set((int) block);
      } else if (!zeroed.get((int) block)) {
        replica.change(block);
        log.zero(disk, at, next - at);
      }
      at = next;
    }
    log.afterLogged(answer);
  }

  /** A part of the block is about to be written; what surrounds it may still have to be zeroed. */
  private void zeroRest(long block) {
    if (zeroed.get((int) block) && !replica.holdsZeroes(block)) {
      log.zero(disk, block * BLOCK, replica.length(block));
    }
  }

  /** The job has copied everything: tells what it left zeroed. */
  void finish() {
    for (int block = zeroed.nextSetBit(0); block >= 0; ) {
      int end = block;
      while (zeroed.get(end) && !replica.holdsZeroes(end)) {
        end++;
      }
      if (end > block) {
        long from = (long) block * BLOCK;
        long to = (long) (end - 1) * BLOCK + replica.length(end - 1);
        log.zero(disk, from, to - from);
      }
      block = zeroed.nextSetBit(Math.max(end, block + 1));
    }
    zeroed.clear();
  }
}
