package io.remus.agent.input;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.remus.core.wire.Frame;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

class GuestInputTest {
  private final GuestInput input = new GuestInput();

  private static Frame.Input frame(int nic, int bytes) {
    return new Frame.Input(nic, ByteBuffer.allocate(bytes));
  }

  @Test
  void shouldKeepNoMoreThanItsLimitUntilTheGuestRuns() throws Exception {
    for (long bytes = 0; bytes < 3 * GuestInput.MOST_BYTES; bytes += Frame.Input.MOST) {
      input.take(frame(0, Frame.Input.MOST));
    }

    assertThat(input.waitingBytes())
        .isBetween(GuestInput.MOST_BYTES - Frame.Input.MOST, GuestInput.MOST_BYTES);
  }

  @Test
  void shouldLeaveOutWhatIsForAnInterfaceThatTheGuestDoesNotHave() throws Exception {
    input.take(frame(3, Frame.Input.LEAST));

    assertThatCode(() -> input.guestRuns(List.of())).doesNotThrowAnyException();
    assertThat(input.waitingBytes()).isZero();
    assertThatCode(() -> input.take(frame(3, Frame.Input.LEAST))).doesNotThrowAnyException();
  }

  @Test
  void shouldForgetWhatWaitsForAGuestThatWillNotRun() throws Exception {
    input.take(frame(0, Frame.Input.LEAST));
    input.close();
    input.take(frame(0, Frame.Input.LEAST));

    assertThat(input.waitingBytes()).isZero();
  }
}
