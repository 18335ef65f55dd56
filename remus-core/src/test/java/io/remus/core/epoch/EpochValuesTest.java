package io.remus.core.epoch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.remus.core.wire.Frame;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class EpochValuesTest {

  @Test
  void shouldCountTermsAndEpochsFromOne() {
    assertThat(Term.FIRST.next()).isEqualTo(new Term(2));
    assertThat(EpochId.FIRST.next()).isEqualTo(new EpochId(2));
    assertThatIllegalArgumentException().isThrownBy(() -> new Term(0));
    assertThatIllegalArgumentException().isThrownBy(() -> new EpochId(0));
  }

  @Test
  void shouldKnowTheNewerTerm() {
    assertThat(new Term(3).isNewerThan(new Term(2))).isTrue();
    assertThat(new Term(2).isNewerThan(new Term(2))).isFalse();
    assertThat(new Term(2).isNewerThan(new Term(3))).isFalse();
  }

  @Test
  void shouldMakeADurableAckOfAnAckFrameOnly() {
    DurableAck ack = DurableAck.of(new Frame.Ack(4, 17));

    assertThat(ack.term()).isEqualTo(new Term(4));
    assertThat(ack.epoch()).isEqualTo(new EpochId(17));
    assertThat(DurableAck.class.getConstructors()).isEmpty();
    assertThat(DurableAck.class.getMethods())
        .filteredOn(method -> Modifier.isStatic(method.getModifiers()))
        .allMatch(
            method -> Arrays.equals(method.getParameterTypes(), new Class<?>[] {Frame.Ack.class}));
  }
}
