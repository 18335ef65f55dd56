package io.remus.agent.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SizeTextTest {
  @ParameterizedTest
  @CsvSource({"4KiB,4096", "64MiB,67108864", "2GiB,2147483648"})
  void shouldReadAndWriteEveryUnit(String text, long bytes) {
    assertThat(SizeText.parse(text)).isEqualTo(bytes);
    assertThat(SizeText.format(bytes)).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "64", "64MB", "-1MiB", "1.5GiB", "64 MiB", "9999999999GiB"})
  void shouldRefuseWhatIsNoSizeAndSayWhatOneLooksLike(String text) {
    assertThatThrownBy(() -> SizeText.parse(text)).hasMessageContaining("such as \"64MiB\"");
  }
}
