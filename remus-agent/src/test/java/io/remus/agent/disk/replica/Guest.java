package io.remus.agent.disk.replica;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.remus.core.wire.DiskImage;
import io.remus.core.wire.DiskRecords;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** A guest that writes to its disks by chance, and knows what is on them. */
final class Guest {
  static final String UUID = "11111111-2222-3333-4444-555555555555";

  private final Random random;
  private final List<DiskImage> disks;
  private final byte[][] contents;
  private boolean uniform;

  Guest(Random random, List<DiskImage> disks) {
    this.random = random;
    this.disks = disks;
    contents = new byte[disks.size()][];
    for (int i = 0; i < contents.length; i++) {
      contents[i] = new byte[(int) disks.get(i).bytes()];
    }
  }

  /** A copy. */
  List<byte[]> contents() {
    return Stream.of(contents).map(byte[]::clone).toList();
  }

  void become(List<byte[]> other) {
    for (int i = 0; i < contents.length; i++) {
      contents[i] = other.get(i).clone();
    }
  }

  /** Whether all chunks have one size, so that what is left of one may lie where another was. */
  void uniform(boolean on) {
    uniform = on;
  }

  /** Some writes, as a chunk carries them. */
  ByteBuf write(int records, int mostBytes) {
    ByteBuf out = Unpooled.buffer();
    for (int i = uniform ? records - 1 : 0; i < records; i++) {
      int disk = random.nextInt(contents.length);
      int length = uniform ? 700 : 1 + random.nextInt(Math.min(mostBytes, contents[disk].length));
      int offset = random.nextInt(contents[disk].length - length + 1);
      if (random.nextBoolean()) {
        offset = offset / 512 * 512;
      }
      if (!uniform && random.nextInt(4) == 0) {
        Arrays.fill(contents[disk], offset, offset + length, (byte) 0);
        DiskRecords.zero(disk, offset, length, out);
      } else {
        byte[] data = new byte[length];
        random.nextBytes(data);
        System.arraycopy(data, 0, contents[disk], offset, length);
        DiskRecords.write(disk, offset, Unpooled.wrappedBuffer(data), out);
      }
    }
    return out;
  }

  List<DiskImage> disks() {
    return disks;
  }
}
