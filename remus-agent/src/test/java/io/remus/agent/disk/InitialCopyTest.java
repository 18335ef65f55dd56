package io.remus.agent.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.remus.core.wire.DiskRecords;
import io.remus.core.wire.Frame.BlockHashes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class InitialCopyTest {
  private static final int BLOCK = BlockHashes.BLOCK_BYTES;

  /** Three blocks and a short one. */
  private static final int DISK = 3 * BLOCK + 1000;

  private final WriteLog log = new WriteLog(1L << 30);
  private final ReplicaBlocks replica = new ReplicaBlocks(DISK);
  private final InitialCopy copy = new InitialCopy(0, log, replica);
  private final AtomicInteger answered = new AtomicInteger();
  private final byte[] held = new byte[DISK];
  private long sent;

  @Test
  void shouldSendNothingOfZeroesToABlankReplica() throws Exception {
    copy.zero(0, DISK, answered::incrementAndGet);
    copy.write(0, Unpooled.wrappedBuffer(new byte[DISK]), answered::incrementAndGet);
    copy.finish();

    assertThat(sentRecords()).isEmpty();
    assertThat(answered).hasValue(2);
  }

  @Test
  void shouldSendOnlyBlocksThatDiffer() throws Exception {
    learn(filled(DISK, 7));
    copy.zero(0, DISK, answered::incrementAndGet);
    byte[] disk = filled(DISK, 7);
    Arrays.fill(disk, BLOCK, 2 * BLOCK, (byte) 8);

    copy.write(0, Unpooled.wrappedBuffer(disk), answered::incrementAndGet);
    copy.finish();

    apply();
    assertThat(held).isEqualTo(disk);
    assertThat(sent).isBetween((long) BLOCK, BLOCK + 100L);
  }

  @Test
  void shouldZeroWhatTheSourceHasNotAndTheReplicaHas() throws Exception {
    learn(filled(DISK, 7));
    copy.zero(0, DISK, answered::incrementAndGet);
    copy.write(BLOCK, Unpooled.wrappedBuffer(filled(BLOCK, 7)), answered::incrementAndGet);
    copy.finish();

    assertThat(sentRecords())
        .containsExactly("zero 0 0 " + BLOCK, "zero 0 " + 2 * BLOCK + " " + (BLOCK + 1000));
  }

  @Test
  void shouldZeroTheRestOfABlockThatIsWrittenInPart() throws Exception {
    learn(filled(DISK, 7));
    copy.zero(0, DISK, answered::incrementAndGet);
    copy.write(BLOCK + 10, Unpooled.wrappedBuffer(filled(5, 9)), answered::incrementAndGet);
    copy.finish();

    apply();
    byte[] wanted = new byte[DISK];
    Arrays.fill(wanted, BLOCK + 10, BLOCK + 15, (byte) 9);
    assertThat(held).isEqualTo(wanted);
  }

  @Test
  void shouldRefuseHashesOfBlocksThatTheDiskHasNot() {
    replica.learn(3, ByteBuffer.allocate(16));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> replica.learn(3, ByteBuffer.allocate(32)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> replica.learn(Long.MAX_VALUE, ByteBuffer.allocate(16)));
  }

  /** A mirror job that zeroes and copies while a guest writes anywhere, in any size. */
  @Test
  void shouldEndWithTheSourceWhateverIsWrittenMeanwhile() throws Exception {
    for (int seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      byte[] source = someBlocks(random);
      ReplicaBlocks known = new ReplicaBlocks(DISK);
      byte[] before = random.nextBoolean() ? new byte[DISK] : someBlocks(random);
      if (!Arrays.equals(before, new byte[DISK])) {
        known.learn(0, hashes(before));
      }
      System.arraycopy(before, 0, held, 0, DISK);
      InitialCopy job = new InitialCopy(0, log, known);

      job.zero(0, DISK, answered::incrementAndGet);
      for (int block = 0; block < 4; block++) {
        if (random.nextBoolean()) {
          guestWrites(job, random, source);
        }
        int length = Math.min(BLOCK, DISK - block * BLOCK);
        byte[] part = Arrays.copyOfRange(source, block * BLOCK, block * BLOCK + length);
        if (!Arrays.equals(part, new byte[length])) {
          job.write((long) block * BLOCK, Unpooled.wrappedBuffer(part), answered::incrementAndGet);
        } else {
          job.zero((long) block * BLOCK, length, answered::incrementAndGet);
        }
        if (random.nextBoolean()) {
          guestWrites(job, random, source);
        }
      }
      job.finish();

      apply();
      assertThat(held).as("seed %d", seed).isEqualTo(source);
    }
  }

  private void guestWrites(InitialCopy job, Random random, byte[] source) {
    int offset = random.nextInt(DISK - 1);
    int length = 1 + random.nextInt(Math.min(DISK - offset, 2 * BLOCK));
    if (random.nextInt(3) == 0) {
      Arrays.fill(source, offset, offset + length, (byte) 0);
      job.zero(offset, length, answered::incrementAndGet);
    } else {
      byte[] data = new byte[length];
      random.nextBytes(data);
      System.arraycopy(data, 0, source, offset, length);
      job.write(offset, Unpooled.wrappedBuffer(data), answered::incrementAndGet);
    }
  }

  private static byte[] someBlocks(Random random) {
    byte[] disk = new byte[DISK];
    for (int at = 0; at < DISK; at += BLOCK) {
      if (random.nextBoolean()) {
        Arrays.fill(disk, at, Math.min(DISK, at + BLOCK), (byte) random.nextInt(3));
      }
    }
    return disk;
  }

  private static byte[] filled(int bytes, int value) {
    byte[] data = new byte[bytes];
    Arrays.fill(data, (byte) value);
    return data;
  }

  private void learn(byte[] replicaHolds) throws NoSuchAlgorithmException {
    System.arraycopy(replicaHolds, 0, held, 0, DISK);
    replica.learn(0, hashes(replicaHolds));
  }

  private static ByteBuffer hashes(byte[] disk) throws NoSuchAlgorithmException {
    ByteBuffer hashes = ByteBuffer.allocate(4 * BlockHashes.HASH_BYTES);
    for (int at = 0; at < DISK; at += BLOCK) {
      byte[] block = Arrays.copyOfRange(disk, at, Math.min(DISK, at + BLOCK));
      hashes.put(MessageDigest.getInstance("SHA-256").digest(block), 0, BlockHashes.HASH_BYTES);
    }
    return hashes.flip();
  }

  private List<String> sentRecords() throws IOException {
    ByteBuf chunk = Unpooled.buffer(1 << 20);
    log.next(WriteLog.ALL, chunk);
    return Records.in(chunk);
  }

  /** What the backup does with it. */
  private void apply() throws IOException {
    ByteBuf chunk = Unpooled.buffer(1 << 20);
    while (log.next(WriteLog.ALL, chunk)) {
      sent += chunk.readableBytes();
      DiskRecords.visit(
          chunk,
          new DiskRecords.Visitor() {
            @Override
            public void write(int disk, long offset, ByteBuf data) {
              data.getBytes(data.readerIndex(), held, (int) offset, data.readableBytes());
            }

            @Override
            public void zero(int disk, long offset, long length) {
              Arrays.fill(held, (int) offset, (int) (offset + length), (byte) 0);
            }
          });
      chunk.clear();
    }
  }
}
