package io.remus.agent.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.remus.agent.disk.SourceHashes;
import io.remus.agent.disk.WriteLog;
import io.remus.agent.guest.DiskSource;
import io.remus.core.control.VerificationReport.Disk;
import io.remus.core.wire.Frame.BlockHashes;
import io.remus.core.wire.Frame.DiskHashes;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A qcow2 disk between two raw ones, of 30 blocks and of one that is short. */
class DiskComparisonTest {
  private static final int BLOCK = BlockHashes.BLOCK_BYTES;

  @TempDir private Path directory;
  private final byte[] vda = new byte[30 * BLOCK];
  private final byte[] vdc = new byte[700];
  private SourceHashes hashes;
  private DiskComparison comparison;

  @BeforeEach
  void hash() throws Exception {
    new Random(3).nextBytes(vda);
    hashes =
        new SourceHashes(
            "ledger",
            new WriteLog(1),
            List.of(
                new DiskSource("vda", vda.length, Files.write(directory.resolve("vda"), vda), null),
                new DiskSource("vdb", 1 << 20, null, "format qcow2"),
                new DiskSource(
                    "vdc", vdc.length, Files.write(directory.resolve("vdc"), vdc), null)),
            () -> {});
    hashes.start();
    hashes.settle();
    await().atMost(Duration.ofSeconds(30)).until(() -> hashes.ended(0));
    comparison = new DiskComparison(7, hashes);
  }

  @AfterEach
  void close() {
    hashes.close();
  }

  @Test
  void shouldFindEqualDisksEqualAndNameTheOneThatIsNotCompared() throws Exception {
    comparison.learn(told(7, 0, 0, 10));
    comparison.learn(told(7, 0, 10, 20));
    assertThat(comparison.isComplete()).isFalse();
    comparison.learn(told(7, 2, 0, 1));

    assertThat(comparison.isComplete()).isTrue();
    assertThat(comparison.result())
        .containsExactly(
            new Disk("vda", vda.length, 30, 0, List.of(), null),
            Disk.notCompared("vdb", "format qcow2"),
            new Disk("vdc", 700, 1, 0, List.of(), null));
  }

  @Test
  void shouldCountAllDifferencesAndNameTheFirst() throws Exception {
    for (int block = 5; block < 30; block++) {
      vda[block * BLOCK + block]++;
    }
    vdc[699]++;
    comparison.learn(told(7, 0, 0, 30));
    comparison.learn(told(7, 2, 0, 1));

    Disk found = comparison.result().get(0);
    assertThat(found.different()).isEqualTo(25);
    assertThat(found.differences()).hasSize(20).startsWith(5L * BLOCK, 6L * BLOCK);
    assertThat(comparison.result().get(2).differences()).containsExactly(0L);
  }

  @Test
  void shouldRefuseHashesThatWereNotAskedFor() throws Exception {
    for (DiskHashes wrong :
        List.of(told(8, 0, 0, 1), told(7, 2, 0, 1), told(7, 0, 1, 1), told(7, 0, 0, 31))) {
      assertThatThrownBy(() -> comparison.learn(wrong))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageEndingWith("in place of 0 of disk 0 at 7");
    }
    comparison.learn(told(7, 0, 0, 30));
    comparison.learn(told(7, 2, 0, 1));
    assertThatThrownBy(() -> comparison.learn(told(7, 2, 0, 1)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private DiskHashes told(long epoch, int disk, int first, int count) throws Exception {
    byte[] contents = disk == 0 ? vda : vdc;
    ByteBuffer all = ByteBuffer.allocate(count * BlockHashes.HASH_BYTES);
    for (int block = first; block < first + count; block++) {
      int from = Math.min(contents.length, block * BLOCK);
      int length = Math.min(contents.length - from, BLOCK);
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      sha256.update(contents, from, length);
      all.put(sha256.digest(), 0, BlockHashes.HASH_BYTES);
    }
    return new DiskHashes(epoch, new BlockHashes(disk, first, all.flip()));
  }
}
