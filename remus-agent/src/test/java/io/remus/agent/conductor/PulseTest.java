package io.remus.agent.conductor;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PulseTest {
  private static final long HOUR_MS = 3_600_000;

  private final ScheduledThreadPoolExecutor clock = new ScheduledThreadPoolExecutor(1);
  private final Lane lane = new Lane("db");

  /** Its first beat is an hour away: as if the agent stood still. */
  private Pulse pulse(Duration timeout) {
    return new Pulse(clock, HOUR_MS, timeout.toNanos(), lane, () -> {});
  }

  @AfterEach
  void close() {
    clock.shutdownNow();
    lane.close();
  }

  @Test
  void shouldKnowThatItWasSilentForAWholeTimeout() {
    Pulse pulse = pulse(Duration.ofNanos(1));

    assertThat(pulse.overslept()).isTrue();
  }

  @Test
  void shouldRememberThatItWasSilentWhenItSpeaksAgain() {
    Pulse pulse = pulse(Duration.ofNanos(1));
    pulse.spoke();

    assertThat(pulse.overslept()).isTrue();
  }

  @Test
  void shouldNotHaveOversleptWithinTheTimeout() {
    Pulse pulse = pulse(Duration.ofHours(1));
    pulse.spoke();

    assertThat(pulse.overslept()).isFalse();
  }
}
