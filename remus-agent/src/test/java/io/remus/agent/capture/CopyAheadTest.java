package io.remus.agent.capture;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CopyAheadTest {
  private final CopyAhead copyAhead = new CopyAhead();

  @Test
  void shouldCopyManyPagesAhead() {
    assertThat(copyAhead.many()).isEqualTo(CopyAhead.MANY_PAGES);
    copyAhead.captured(20_000, 21_000);
    assertThat(copyAhead.many()).isEqualTo(CopyAhead.MANY_PAGES);
  }

  @Test
  void shouldGoOnWhereNothingWasCopiedAhead() {
    copyAhead.captured(0, 3_000);
    assertThat(copyAhead.many()).isEqualTo(CopyAhead.MANY_PAGES);
  }

  @Test
  void shouldLeaveItForSomeEpochsAfterItWasInVain() {
    copyAhead.captured(20_000, 38_000);
    for (int epoch = 0; epoch < CopyAhead.LEFT_EPOCHS; epoch++) {
      assertThat(copyAhead.many()).isEqualTo(Long.MAX_VALUE);
      copyAhead.captured(0, 20_000);
    }
    assertThat(copyAhead.many()).isEqualTo(CopyAhead.MANY_PAGES);
  }
}
