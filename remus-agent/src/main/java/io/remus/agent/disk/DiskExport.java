package io.remus.agent.disk;

import io.netty.buffer.ByteBuf;
import io.remus.agent.disk.nbd.Export;
import io.remus.agent.disk.nbd.Reply;
import io.remus.core.wire.DiskImage;

/**
 * What the mirror job of one disk writes to: everything goes into the log, and while the job still
 * copies, only what the replica does not hold. Nothing can be read from it: the guest reads its own
 * disk.
 */
final class DiskExport implements Export {
  private final int disk;
  private final DiskImage image;
  private final WriteLog log;
  private volatile WriteWatch watch = WriteWatch.NONE;
  private InitialCopy copy;

  DiskExport(int disk, DiskImage image, WriteLog log, ReplicaBlocks replica) {
    this.disk = disk;
    this.image = image;
    this.log = log;
    this.copy = new InitialCopy(disk, log, replica);
  }

  /** The job has copied everything and mirrors from now on. */
  synchronized void copied() {
    copy.finish();
    copy = null;
  }

  /** From now on this is told of what is written once the job has copied everything. */
  void watch(WriteWatch told) {
    watch = told;
  }

  @Override
  public String name() {
    return image.target();
  }

  @Override
  public long bytes() {
    return image.bytes();
  }

  @Override
  public synchronized void write(long offset, ByteBuf data, Reply reply) {
    if (copy != null) {
      copy.write(offset, data, reply::ok);
    } else {
      watch.written(disk, offset, data.readableBytes());
      log.write(disk, offset, data, reply::ok);
    }
  }

  @Override
  public synchronized void zero(long offset, long length, boolean mayUnmap, Reply reply) {
    if (copy != null) {
      copy.zero(offset, length, reply::ok);
    } else {
      watch.written(disk, offset, length);
      log.zero(disk, offset, length, reply::ok);
    }
  }

  /** What a guest discards it may not rely on: on the replica it reads as zeroes. */
  @Override
  public void trim(long offset, long length, Reply reply) {
    zero(offset, length, true, reply);
  }

  /** Nothing is on stable storage before its epoch is acked, and nobody is told before that. */
  @Override
  public void flush(Reply reply) {
    reply.ok();
  }
}
