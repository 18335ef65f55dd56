package io.remus.core.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class VersionsTest {

  @Test
  void shouldAgreeOnTheHighestCommonVersion() {
    assertThat(new Versions(1, 3).common(new Versions(2, 5))).hasValue(3);
    assertThat(new Versions(2, 5).common(new Versions(1, 3))).hasValue(3);
    assertThat(new Versions(1, 1).common(new Versions(1, 9))).hasValue(1);
    assertThat(new Versions(4, 5).common(new Versions(1, 3))).isEmpty();
  }

  @Test
  void shouldWelcomeAPeerThatSpeaksACommonVersion() {
    Frame.Hello hello = new Frame.Hello(new Versions(2, 5), Purpose.QUERY, "hv1");

    assertThat(new Versions(1, 3).answer(hello, "hv2")).isEqualTo(new Frame.Welcome(3, "hv2"));
  }

  @Test
  void shouldNameBothRangesWhenThereIsNoCommonVersion() {
    Frame.Hello hello = new Frame.Hello(new Versions(4, 5), Purpose.QUERY, "hv1");

    assertThat(new Versions(1, 1).answer(hello, "hv2"))
        .isEqualTo(
            new Frame.Refused(
                RefusalCode.VERSION,
                "hv2 speaks protocol versions 1, hv1 speaks 4 to 5; install the same release of Remus on both hosts"));
  }

  @Test
  void shouldRefuseARangeThatIsNone() {
    assertThatIllegalArgumentException().isThrownBy(() -> new Versions(0, 1));
    assertThatIllegalArgumentException().isThrownBy(() -> new Versions(2, 1));
    assertThatIllegalArgumentException().isThrownBy(() -> new Versions(1, 65_536));
  }
}
