package io.remus.agent.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remus.core.control.VerificationReport.Difference;
import io.remus.core.wire.Frame.MemorySums;
import io.remus.core.wire.RamBlock;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class MemoryComparisonTest {
  private static final int MIB = 1 << 20;

  /** Sums 0 to 2, 3, and 4 to 5. */
  private static final List<RamBlock> BLOCKS =
      List.of(
          new RamBlock("pc.ram", 3 * MIB),
          new RamBlock("pc.rom", 128 << 10),
          new RamBlock("vga.vram", MIB + 4096));

  private final MemoryComparison comparison =
      new MemoryComparison(7, BLOCKS, new long[] {10, 11, 12, 13, 14, 15});

  @Test
  void shouldFindEqualSumsEqual() {
    comparison.learn(sums(7, 0, 10, 11, 12, 13));
    assertThat(comparison.isComplete()).isFalse();
    comparison.learn(sums(7, 4, 14, 15));

    assertThat(comparison.isComplete()).isTrue();
    assertThat(comparison.result().different()).isZero();
    assertThat(comparison.result().pieces()).isEqualTo(6);
    assertThat(comparison.result().bytes()).isEqualTo(4 * MIB + (128 << 10) + 4096);
  }

  @Test
  void shouldNameEveryDifferenceByItsBlockAndItsPlaceInThere() {
    comparison.learn(sums(7, 0, 10, 11, 0, 0, 14, 0));

    assertThat(comparison.result().different()).isEqualTo(3);
    assertThat(comparison.result().differences())
        .containsExactly(
            new Difference("pc.ram", 2 * MIB, MIB),
            new Difference("pc.rom", 0, 128 << 10),
            new Difference("vga.vram", MIB, 4096));
  }

  @Test
  void shouldCountAllDifferencesAndNameTheFirst() {
    MemoryComparison large =
        new MemoryComparison(7, List.of(new RamBlock("pc.ram", 50L * MIB)), new long[50]);
    long[] others = new long[50];
    Arrays.fill(others, 1);

    large.learn(sums(7, 0, others));

    assertThat(large.result().different()).isEqualTo(50);
    assertThat(large.result().differences()).hasSize(20);
  }

  @Test
  void shouldRefuseSumsThatWereNotAskedFor() {
    for (MemorySums wrong :
        List.of(
            sums(8, 0, 10),
            sums(7, 1, 11),
            sums(7, 0, 10, 11, 12, 13, 14, 15, 16),
            sums(6, 0, 1))) {
      assertThatThrownBy(() -> comparison.learn(wrong))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageEndingWith("in place of 0 to 5 of epoch 7");
    }
    comparison.learn(sums(7, 0, 10));
    assertThatThrownBy(() -> comparison.learn(sums(7, 0, 10)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static MemorySums sums(long epoch, long first, long... sums) {
    ByteBuffer bytes = ByteBuffer.allocate(sums.length * Long.BYTES);
    bytes.asLongBuffer().put(sums);
    return new MemorySums(epoch, first, bytes);
  }
}
