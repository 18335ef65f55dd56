package io.remus.core.failover;

import static io.remus.core.failover.SilenceMonitor.Verdict.ALIVE;
import static io.remus.core.failover.SilenceMonitor.Verdict.LOST;
import static io.remus.core.failover.SilenceMonitor.Verdict.SUSPECT;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SilenceMonitorTest {
  private static final long TIMEOUT = 1000;

  private final SilenceMonitor monitor = new SilenceMonitor(TIMEOUT, 0);

  @Test
  void shouldSuspectAtHalfTheTimeoutAndLoseAtTheWhole() {
    assertThat(monitor.look(400)).isEqualTo(ALIVE);
    assertThat(monitor.look(500)).isEqualTo(SUSPECT);
    assertThat(monitor.look(999)).isEqualTo(SUSPECT);
    assertThat(monitor.look(1000)).isEqualTo(LOST);
  }

  @Test
  void shouldBeAliveAgainAfterASignOfLife() {
    monitor.look(400);
    monitor.look(800);
    monitor.heard(850);

    assertThat(monitor.look(1200)).isEqualTo(ALIVE);
  }

  @Test
  void shouldNotTakeItsOwnSleepForThePeersSilence() {
    monitor.look(100);

    assertThat(monitor.look(5000)).isEqualTo(ALIVE);
    assertThat(monitor.look(5400)).isEqualTo(ALIVE);
    assertThat(monitor.look(5500)).isEqualTo(SUSPECT);
    assertThat(monitor.look(6000)).isEqualTo(LOST);
  }

  @Test
  void shouldNotGoBackToAnOlderSignOfLifeAfterItsOwnSleep() {
    monitor.look(100);
    monitor.look(5000);
    monitor.heard(90);

    assertThat(monitor.look(5100)).isEqualTo(ALIVE);
  }
}
