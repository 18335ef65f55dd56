package io.remus.agent.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remus.agent.status.EpochLog.Line;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EpochLogTest {
  private static final long SECOND_NS = 1_000_000_000L;
  private static final String HEADER =
      "vm,term,epoch,started_realtime_ns,stopped_realtime_ns,resumed_realtime_ns,"
          + "acked_realtime_ns,released_realtime_ns,pages,marker,scan_ns,copy_ns";

  @TempDir private Path directory;

  @Test
  void shouldBeOffWhenTheConfigurationNamesNoFile() throws Exception {
    try (EpochLog log = EpochLog.open(Optional.empty())) {
      assertThat(log.isOn()).isFalse();
    }
  }

  @Test
  void shouldWriteALineForEachReleasedEpoch() throws Exception {
    Path file = directory.resolve("epochs.csv");
    try (EpochLog log = EpochLog.open(Optional.of(file))) {
      assertThat(log.isOn()).isTrue();
      log.add(new Line("ledger", 2, 17, 0, 0, 0, 0, 0, 1200, -1, 7, 8));
      assertThat(Files.readAllLines(file)).as("readable at once").hasSize(2);
    }

    List<String> lines = Files.readAllLines(file);
    assertThat(lines.get(0)).isEqualTo(HEADER);
    assertThat(lines.get(1)).startsWith("ledger,2,17,").endsWith(",1200,-1,7,8");
    assertThat(lines.get(1).split(",", -1)).hasSameSizeAs(HEADER.split(",", -1));
  }

  @Test
  void shouldWriteTimesOfDayInTheirOrderAndDistance() throws Exception {
    Path file = directory.resolve("epochs.csv");
    long now = System.nanoTime();
    Instant before = Instant.now();
    try (EpochLog log = EpochLog.open(Optional.of(file))) {
      log.add(new Line("ledger", 1, 1, now, now + 1, now + 2, now + 3, now + 4, 0, 0, 0, 0));
    }

    String[] fields = Files.readAllLines(file).get(1).split(",", -1);
    long started = Long.parseLong(fields[3]);
    for (int i = 0; i < 5; i++) {
      assertThat(Long.parseLong(fields[3 + i])).isEqualTo(started + i);
    }
    Instant logged = Instant.ofEpochSecond(started / SECOND_NS, started % SECOND_NS);
    assertThat(Duration.between(before, logged).abs()).isLessThan(Duration.ofSeconds(30));
  }

  @Test
  void shouldGoOnWhereTheLastAgentEndedWithoutASecondHeader() throws Exception {
    Path file = directory.resolve("epochs.csv");
    for (int epoch = 1; epoch <= 2; epoch++) {
      try (EpochLog log = EpochLog.open(Optional.of(file))) {
        log.add(new Line("ledger", 1, epoch, 0, 0, 0, 0, 0, 0, 0, 0, 0));
      }
    }

    List<String> lines = Files.readAllLines(file);
    assertThat(lines).hasSize(3).filteredOn(HEADER::equals).hasSize(1);
    assertThat(lines.get(2)).startsWith("ledger,1,2,");
  }

  @Test
  void shouldNotStopAnEpochWhenItCannotBeWritten() throws Exception {
    try (EpochLog log = EpochLog.open(Optional.of(Path.of("/dev/full")))) {
      log.add(new Line("ledger", 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    } catch (IOException e) {
      assertThat(e).as("only closing may tell").hasMessageContaining("No space left");
    }
  }

  @Test
  void shouldNotOpenAFileInAFolderThatIsMissing() {
    assertThatThrownBy(() -> EpochLog.open(Optional.of(directory.resolve("missing/epochs.csv"))))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("missing/epochs.csv");
  }
}
