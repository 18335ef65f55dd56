package io.remus.core.failover;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class LossBackoffTest {
  private final LossBackoff backoff = new LossBackoff();
  private long nowNs = Long.MAX_VALUE - Duration.ofMinutes(2).toNanos();

  private Duration lostAfter(Duration time) {
    nowNs += time.toNanos();
    return backoff.lost(nowNs);
  }

  @Test
  void shouldNotWaitAfterTheFirstLoss() {
    assertThat(lostAfter(Duration.ZERO)).isZero();
  }

  @Test
  void shouldWaitLongerFromLossToLossUpToABound() {
    lostAfter(Duration.ZERO);

    assertThat(lostAfter(Duration.ofSeconds(1))).isEqualTo(LossBackoff.SHORTEST);
    assertThat(lostAfter(Duration.ofSeconds(30))).isEqualTo(Duration.ofSeconds(2));
    for (int i = 0; i < 100; i++) {
      lostAfter(Duration.ofSeconds(30));
    }
    assertThat(lostAfter(Duration.ofSeconds(30))).isEqualTo(LossBackoff.LONGEST);
  }

  @Test
  void shouldNotCountTheWaitAsATimeOfGoodProtection() {
    lostAfter(Duration.ZERO);
    for (int i = 0; i < 20; i++) {
      lostAfter(Duration.ofSeconds(1));
    }

    assertThat(lostAfter(LossBackoff.LONGEST.plusSeconds(30))).isEqualTo(LossBackoff.LONGEST);
  }

  @Test
  void shouldBeginAnewAfterAGoodTime() {
    lostAfter(Duration.ZERO);
    lostAfter(Duration.ofSeconds(1));

    assertThat(lostAfter(LossBackoff.SHORTEST.plus(LossBackoff.STEADY))).isZero();
  }
}
