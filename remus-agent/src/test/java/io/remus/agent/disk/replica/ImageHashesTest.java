package io.remus.agent.disk.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remus.core.wire.Frame.BlockHashes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Hashes of disks that are replicated on meanwhile. */
class ImageHashesTest extends FollowedReplicaTest {
  private static final BitSet BOTH = BitSet.valueOf(new long[] {3});

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 40})
  void shouldBeThoseOfTheChosenEpochAlthoughTheReplicaGoesOn(int epochsAfter) throws Exception {
    try (ImageHashes hashes = replica.hash(BOTH)) {
      for (int i = 0; hashes.step() || i < 20; i++) {
        runEpochs(1);
      }
      runEpochs(2);
      hashes.endHere();
      List<byte[]> chosen = committed();
      runEpochs(epochsAfter);
      hashes.finish();

      assertThat(told(hashes)).isEqualTo(straightforward(chosen));
    }
  }

  @Test
  void shouldSeeAByteThatChangesBehindTheReplicasBack() throws Exception {
    replica.settle();
    runEpochs(1);
    List<byte[]> committed = committed();
    committed.get(0)[3 << 20]++;
    try (RandomAccessFile image = new RandomAccessFile(replica.images().get(0).toFile(), "rw");
        ImageHashes hashes = replica.hash(BOTH)) {
      image.seek(3 << 20);
      image.write(committed.get(0)[3 << 20]);
      hashes.endHere();
      hashes.finish();

      assertThat(told(hashes)).isEqualTo(straightforward(committed));
    }
  }

  @Test
  void shouldHashNoDiskThatNobodyAskedFor() throws Exception {
    try (ImageHashes hashes = replica.hash(BitSet.valueOf(new long[] {2}))) {
      hashes.endHere();
      hashes.finish();
      hashes.tell(blocks -> assertThat(blocks.disk()).isEqualTo(1));
    }
    assertThatThrownBy(() -> replica.hash(BitSet.valueOf(new long[] {4})))
        .hasMessageContaining("none of the replica's");
  }

  @Test
  void shouldBeBegunAnewWhenTheLastIsClosed() throws Exception {
    ImageHashes first = replica.hash(BOTH);
    first.close();

    assertThatThrownBy(first::step).hasMessageContaining("other things to do");
    replica.hash(BOTH).close();
  }

  private static byte[] told(ImageHashes hashes) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    List<Long> ends = new ArrayList<>(List.of(0L, 0L));
    hashes.tell(
        blocks -> {
          assertThat(blocks.firstBlock()).isEqualTo(ends.get(blocks.disk()));
          byte[] bytes = new byte[blocks.hashes().remaining()];
          blocks.hashes().get(bytes);
          ends.set(blocks.disk(), blocks.firstBlock() + bytes.length / BlockHashes.HASH_BYTES);
          all.write(bytes);
        });
    return all.toByteArray();
  }

  private static byte[] straightforward(List<byte[]> contents) throws Exception {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] disk : contents) {
      for (int at = 0; at < disk.length; at += BlockHashes.BLOCK_BYTES) {
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        int end = Math.min(disk.length, at + BlockHashes.BLOCK_BYTES);
        sha256.update(ByteBuffer.wrap(disk, at, end - at));
        all.write(Arrays.copyOf(sha256.digest(), BlockHashes.HASH_BYTES));
      }
    }
    return all.toByteArray();
  }
}
