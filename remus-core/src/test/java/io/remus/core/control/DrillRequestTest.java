package io.remus.core.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DrillRequestTest {
  @ParameterizedTest
  @ValueSource(strings = {"10.77.0.99/24", "fd77::99/64", "::1/128", "::ffff:10.0.0.1/96"})
  void shouldTakeAnAddressWithItsPrefix(String address) {
    assertThat(new DrillRequest(address, 60).address()).isEqualTo(address);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"10.77.0.99", "10.77.0/24", "hv1/24", "", "10.77.0.99/24 dev lo", "-4/24", "a/64"})
  void shouldRefuseWhatIsNoAddress(String address) {
    assertThatThrownBy(() -> new DrillRequest(address, 60))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("address: ");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 86_401})
  void shouldRefuseALimitOutOfRange(int seconds) {
    assertThatThrownBy(() -> new DrillRequest(null, seconds))
        .hasMessage("limit_seconds: %d is out of range, allowed are 1 to 86400", seconds);
  }

  @Test
  void shouldNeedNoAddress() {
    assertThat(new DrillRequest(null, 86_400).address()).isNull();
  }
}
