package io.remus.agent.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.remus.agent.guest.DiskSource;
import io.remus.core.wire.Frame.BlockHashes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A guest writes its disk, and every write is told, as by QEMU: first the disk, then the log. */
@Timeout(60)
class SourceHashesTest {
  private static final int BLOCK = BlockHashes.BLOCK_BYTES;
  private static final int BYTES = 40 * BLOCK + 1000;

  @TempDir private Path directory;
  private final WriteLog log = new WriteLog(1 << 30);
  private final Random random = new Random(5);
  private final AtomicInteger unwatched = new AtomicInteger();
  private RandomAccessFile disk;
  private SourceHashes hashes;

  @BeforeEach
  void start() throws IOException {
    Path image = directory.resolve("vda.raw");
    disk = new RandomAccessFile(image.toFile(), "rw");
    disk.setLength(BYTES);
    hashes =
        new SourceHashes(
            "ledger",
            log,
            List.of(
                new DiskSource("sda", BYTES, null, "format qcow2"),
                new DiskSource("vda", BYTES, image, null)),
            unwatched::incrementAndGet);
  }

  @AfterEach
  void end() throws IOException {
    hashes.close();
    log.close();
    disk.close();
  }

  @Test
  void shouldReadOnlyWhatIsRaw() {
    assertThat(hashes.mask()).isEqualTo(2);
    assertThat(hashes.blocks()).isEqualTo(41);
    assertThat(hashes.sources().get(0).obstacle()).isEqualTo("format qcow2");
  }

  @Test
  void shouldBeExactAtAPauseAlthoughTheGuestNeverRestsAndRunsOnBeforeItIsHeardOf()
      throws Exception {
    hashes.start();
    byte[] paused = null;
    for (boolean exact = false; !exact; ) {
      write(5);
      long writes = log.newest();
      paused = Files.readAllBytes(directory.resolve("vda.raw"));
      write(5);
      exact = hashes.ended(writes);
      if (hashes.isNearlyRead()) {
        hashes.settle();
      }
      drain();
    }
    hashes.close();
    write(20);

    assertThat(differences(paused)).isZero();
    paused[17 * BLOCK + 5]++;
    assertThat(differences(paused)).isOne();
  }

  @Test
  void shouldNotBeExactBeforeAllWasReadAndBeforeItSettles() throws Exception {
    assertThat(hashes.ended(log.newest())).isFalse();
    assertThat(hashes.isNearlyRead()).isFalse();
    hashes.start();
    await().atMost(Duration.ofSeconds(30)).until(hashes::isNearlyRead);
    assertThat(hashes.unreadBlocks()).isZero();
    assertThat(hashes.ended(log.newest())).isFalse();
    assertThat(hashes.ended(log.newest())).isFalse();

    hashes.settle();
    assertThat(hashes.ended(log.newest())).as("read in the epoch that begins").isFalse();
    assertThat(hashes.ended(log.newest())).isTrue();
  }

  @Test
  void shouldSayThatADiskIsGone() throws Exception {
    Path gone = directory.resolve("gone.raw");
    try (SourceHashes none =
        new SourceHashes(
            "ledger", log, List.of(new DiskSource("vda", BYTES, gone, null)), () -> {})) {
      assertThat(none.mask()).isZero();
      assertThat(none.sources().get(0).obstacle()).contains("gone.raw");
    }
    disk.setLength(BLOCK);
    disk.seek(BLOCK - 1);
    disk.write(1);
    disk.setLength(BYTES - 1);
    disk.write(1);
    disk.seek(BYTES - 2);
    disk.write(1);
    hashes.start();

    await().atMost(Duration.ofSeconds(30)).until(() -> hashes.failure() != null);
    assertThat(hashes.failure()).contains("vda.raw");
    assertThat(unwatched).hasValue(1);
  }

  private void write(int count) throws IOException {
    for (int i = 0; i < count; i++) {
      // Often the same few blocks, as a journal is.
      int at = random.nextInt(random.nextBoolean() ? 2 * BLOCK : BYTES - 5000);
      byte[] data = new byte[1 + random.nextInt(5000)];
      random.nextBytes(data);
      disk.seek(at);
      disk.write(data);
      hashes.written(1, at, data.length);
      log.write(1, at, Unpooled.wrappedBuffer(data), () -> {});
    }
  }

  private void drain() {
    ByteBuf chunk = Unpooled.buffer(1 << 20, 1 << 20);
    while (log.next(WriteLog.ALL, chunk)) {
      chunk.clear();
    }
  }

  private int differences(byte[] contents) throws Exception {
    int different = 0;
    for (int block = 0; block < hashes.blocks(1); block++) {
      int from = block * BLOCK;
      byte[] data = Arrays.copyOfRange(contents, from, Math.min(BYTES, from + BLOCK));
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(data);
      different += hashes.matches(1, block, ByteBuffer.wrap(hash)) ? 0 : 1;
    }
    return different;
  }
}
