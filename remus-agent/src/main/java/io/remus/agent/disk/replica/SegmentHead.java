package io.remus.agent.disk.replica;

import io.remus.core.wire.DiskImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * What a segment of the journal begins with. Big-endian:
 *
 * <pre>
 *    0  u64  "REMUSJRN"
 *    8  u16  version 1
 *   10  u16  number of disks
 *   12  u32  bytes of the head
 *   16  u64  number of the segment
 *   24  u64  key: a random number that a record's head is hashed with
 *   32  u128 UUID of the VM
 *   48  u64  term of the last commit before this segment
 *   56  u64  epoch of it
 *   64  u64  time of it, milliseconds since 1970
 *   72       for each disk: u16 length of the target, target in UTF-8, u64 bytes
 *    n  u32  CRC32C of everything before
 * </pre>
 *
 * @param key keeps a guest from writing to its disk what looks like a record of this segment
 * @param crc the last word, which the first record continues from
 */
record SegmentHead(
    long number, long key, UUID vm, CommitPoint before, List<DiskImage> disks, int crc) {
  private static final long MAGIC = 0x52454d55534a524eL;
  private static final int VERSION = 1;
  private static final int FIXED_BYTES = 72;
  private static final int LEAST_BYTES = FIXED_BYTES + 4;
  private static final int MOST_BYTES = 64 * 1024;

  /** Makes the bytes of a head. */
  static ByteBuffer encode(
      long number, long key, UUID vm, CommitPoint before, List<DiskImage> disks) {
    ByteBuffer out = ByteBuffer.allocate(MOST_BYTES);
    out.putLong(MAGIC).putShort((short) VERSION).putShort((short) disks.size()).putInt(0);
    out.putLong(number).putLong(key);
    out.putLong(vm.getMostSignificantBits()).putLong(vm.getLeastSignificantBits());
    out.putLong(before.term()).putLong(before.epoch()).putLong(before.atMs());
    for (DiskImage disk : disks) {
      byte[] target = disk.target().getBytes(StandardCharsets.UTF_8);
      out.putShort((short) target.length).put(target).putLong(disk.bytes());
    }
    out.putInt(12, out.position() + 4);
    out.putInt(crc(out.duplicate().flip()));
    return out.flip();
  }

  /** Bytes that the head takes in its file. */
  int bytes() {
    return encode(number, key, vm, before, disks).remaining();
  }

  /**
   * Reads the head of a file.
   *
   * @return null when there is no whole one
   */
  static SegmentHead read(BlockFile file) throws IOException {
    long size = file.size();
    if (size < LEAST_BYTES) {
      return null;
    }
    ByteBuffer in = ByteBuffer.allocate((int) Math.min(size, MOST_BYTES));
    file.read(0, in);
    in.flip();
    int bytes = in.getInt(12);
    if (in.getLong(0) != MAGIC || bytes < LEAST_BYTES || bytes > in.limit()) {
      return null;
    }
    int crc = in.getInt(bytes - 4);
    in.limit(bytes - 4);
    if (crc != crc(in.duplicate())) {
      return null;
    }
    if (in.getShort(8) != VERSION) {
      throw new DamagedJournalException(
          file.path(), "its version %d is not known to this agent".formatted(in.getShort(8)));
    }
    return decode(in, crc);
  }

  private static SegmentHead decode(ByteBuffer in, int crc) {
    int count = in.getShort(10);
    in.position(16);
    long number = in.getLong();
    long key = in.getLong();
    UUID vm = new UUID(in.getLong(), in.getLong());
    CommitPoint before = new CommitPoint(in.getLong(), in.getLong(), in.getLong());
    List<DiskImage> disks = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] target = new byte[in.getShort()];
      in.get(target);
      disks.add(new DiskImage(new String(target, StandardCharsets.UTF_8), in.getLong()));
    }
    return new SegmentHead(number, key, vm, before, List.copyOf(disks), crc);
  }

  private static int crc(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }
}
