package io.remus.agent.primary;

import static org.assertj.core.api.Assertions.assertThat;

import io.remus.agent.nativeio.OutputQueue.Told;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class EpochLengthTest {
  private final EpochLength length = new EpochLength(ms(25), ms(200), 32_000);

  @Test
  void shouldBeLongAsLongAsNobodyWaits() {
    assertThat(length.ns()).isEqualTo(ms(200));
  }

  @Test
  void shouldBeShortWithOutputAndShorterWithAStream() {
    length.output(Told.FIRST);
    assertThat(length.ns()).isEqualTo(ms(25));
    length.output(Told.MUCH);
    assertThat(length.ns()).isEqualTo(ms(10));
    length.output(Told.FIRST);
    assertThat(length.ns()).isEqualTo(ms(10));
  }

  @Test
  void shouldBeLongAgainInTheNextEpoch() {
    length.output(Told.MUCH);
    length.begin();
    assertThat(length.ns()).isEqualTo(ms(200));
  }

  @Test
  void shouldFillThreeQuartersOfTheArenaAtMost() {
    length.captured(48_000, ms(200));
    assertThat(length.ns()).isEqualTo(ms(100));
    length.begin();
    assertThat(length.ns()).isEqualTo(ms(100));
  }

  @Test
  void shouldBeLongAgainWhenTheGuestWritesLess() {
    length.captured(48_000, ms(200));
    length.captured(1_000, ms(100));
    assertThat(length.ns()).isEqualTo(ms(200));
    length.captured(0, ms(200));
    assertThat(length.ns()).isEqualTo(ms(200));
  }

  @Test
  void shouldNotEndAtOnceHoweverMuchTheGuestWrites() {
    length.captured(10_000_000, ms(200));
    assertThat(length.ns()).isEqualTo(ms(10));
  }

  private static long ms(long ms) {
    return TimeUnit.MILLISECONDS.toNanos(ms);
  }
}
