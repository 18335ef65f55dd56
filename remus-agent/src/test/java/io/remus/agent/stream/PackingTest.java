package io.remus.agent.stream;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PackingTest {
  private static final long MIB = 1 << 20;

  private final Packing packing = new Packing();
  private long epoch;
  private long nowNs;

  @Test
  void shouldPackAtFirst() {
    assertThat(packedOf(20, 4, 2)).isEqualTo(20);
  }

  @Test
  void shouldPackOnALinkThatIsSlowerThanPacking() {
    assertThat(packedOf(1_000, 2, 9)).isGreaterThan(960);
  }

  @Test
  void shouldNotPackOnALinkThatIsFasterThanPacking() {
    assertThat(packedOf(1_000, 4, 2)).isLessThan(100);
  }

  @Test
  void shouldRatherPackWhenItMakesLittleDifference() {
    assertThat(packedOf(1_000, 10, 9)).isGreaterThan(960);
  }

  @Test
  void shouldLearnThatTheLinkHasChanged() {
    packedOf(1_000, 2, 9);
    packedOf(300, 4, 2);
    assertThat(packedOf(200, 4, 2)).as("it has become faster").isLessThan(20);
    packedOf(300, 2, 9);
    assertThat(packedOf(200, 2, 9)).as("and slower again").isGreaterThan(180);
  }

  @Test
  void shouldNotBeMisledByAFewLateAcks() {
    for (int i = 0; i < 1_000; i++) {
      boolean packs = packing.packs();
      sent(packs, MIB, packs && i % 5 == 0 ? 1_000 : packs ? 2 : 3);
    }

    assertThat(packedOf(200, 2, 3)).isGreaterThan(180);
  }

  @Test
  void shouldPackSmallEpochsWhateverTheLink() {
    packedOf(1_000, 4, 2);
    for (int i = 0; i < 100; i++) {
      sent(true, MIB - 1, 1);
      assertThat(packing.packs()).isTrue();
    }
  }

  @Test
  void shouldJudgeEachEpochInFlightByItsOwnBeginning() {
    for (int i = 0; i < 200; i++) {
      boolean packs = packing.packs();
      packing.sent(++epoch, packs, MIB, nowNs);
      nowNs += (packs ? 2 : 9) * MIB;
      if (epoch % 2 == 0) {
        packing.acked(epoch, nowNs);
      }
    }

    assertThat(packedOf(1_000, 2, 9)).isGreaterThan(960);
  }

  /** How many of so many large epochs are packed when a byte takes so long, either way. */
  private int packedOf(int epochs, long packedNs, long plainNs) {
    int packed = 0;
    for (int i = 0; i < epochs; i++) {
      boolean packs = packing.packs();
      packed += packs ? 1 : 0;
      sent(packs, 4 * MIB, packs ? packedNs : plainNs);
    }
    return packed;
  }

  private void sent(boolean packed, long bytes, long nsPerByte) {
    packing.sent(++epoch, packed, bytes, nowNs);
    nowNs += bytes * nsPerByte;
    packing.acked(epoch, nowNs);
  }
}
