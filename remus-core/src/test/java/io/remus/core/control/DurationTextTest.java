package io.remus.core.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DurationTextTest {
  @ParameterizedTest
  @CsvSource({"250us,250000", "25ms,25000000", "1s,1000000000", "2m,120000000000"})
  void shouldReadEveryUnit(String text, long nanos) {
    assertThat(DurationText.parse(text)).isEqualTo(Duration.ofNanos(nanos));
  }

  @ParameterizedTest
  @ValueSource(strings = {"250us", "25ms", "1s", "90s", "2m", "1500ms"})
  void shouldWriteWhatItReads(String text) {
    assertThat(DurationText.format(DurationText.parse(text))).isEqualTo(text);
  }

  @Test
  void shouldWriteZeroAsMilliseconds() {
    assertThat(DurationText.format(Duration.ZERO)).isEqualTo("0ms");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "25", "ms", "-1s", "1.5s", "25 ms", "1h", "12345678901s"})
  void shouldRefuseWhatIsNoDurationAndSayWhatOneLooksLike(String text) {
    assertThatThrownBy(() -> DurationText.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"" + text + "\"")
        .hasMessageContaining("such as \"25ms\"");
  }
}
