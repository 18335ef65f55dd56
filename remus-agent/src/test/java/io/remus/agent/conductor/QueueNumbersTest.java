package io.remus.agent.conductor;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class QueueNumbersTest {
  private final QueueNumbers numbers = new QueueNumbers(100);

  @Test
  void shouldGiveEachVmANumberOfItsOwn() {
    assertThat(numbers.take("ledger")).isEqualTo(100);
    assertThat(numbers.take("echo")).isEqualTo(101);
    assertThat(numbers.take("ledger")).as("the same VM again").isEqualTo(100);
  }

  @Test
  void shouldGiveANumberAgainThatWasGivenBack() {
    numbers.take("ledger");
    numbers.take("echo");
    numbers.giveBack("ledger");

    assertThat(numbers.take("web")).isEqualTo(100);
    assertThat(numbers.take("ledger")).isEqualTo(102);
  }

  @Test
  void shouldTakeBackANumberThatWasNeverTaken() {
    numbers.giveBack("ledger");

    assertThat(numbers.take("ledger")).isEqualTo(100);
  }
}
