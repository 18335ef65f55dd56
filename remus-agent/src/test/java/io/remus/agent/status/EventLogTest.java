package io.remus.agent.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.remus.core.control.EventRecord;
import io.remus.core.control.EventRecord.Level;
import io.remus.core.control.VmState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventLogTest {
  private static final Instant NOON = Instant.parse("2026-11-01T12:00:00Z");

  @TempDir Path state;

  @Test
  void shouldNumberEventsFromOneAndKeepWhatTheySay() throws Exception {
    try (EventLog log = open()) {
      log.host(Level.INFO, "the agent started");
      log.state(Level.ERROR, "ledger", VmState.UNPROTECTED, "the backup is lost");

      assertThat(log.after(0, 10))
          .containsExactly(
              new EventRecord(1, NOON, Level.INFO, null, "the agent started", null),
              new EventRecord(
                  2, NOON, Level.ERROR, "ledger", "the backup is lost", VmState.UNPROTECTED));
      assertThat(log.after(1, 10)).extracting(EventRecord::sequence).containsExactly(2L);
      assertThat(log.after(0, 1)).extracting(EventRecord::sequence).containsExactly(1L);
      assertThat(log.after(2, 10)).isEmpty();
    }
  }

  @Test
  void shouldGoOnWithTheSequenceAfterARestart() throws Exception {
    try (EventLog log = open()) {
      log.vm(Level.INFO, "ledger", "first");
    }
    try (EventLog log = open()) {
      log.vm(Level.INFO, "ledger", "second");

      assertThat(log.after(0, 10))
          .extracting(EventRecord::sequence, EventRecord::message)
          .containsExactly(tuple(1L, "first"), tuple(2L, "second"));
    }
  }

  @Test
  void shouldPassOverALineTornByAPowerLoss() throws Exception {
    try (EventLog log = open()) {
      log.host(Level.INFO, "whole");
    }
    Files.writeString(file(), "{\"sequence\":2,\"ti", StandardOpenOption.APPEND);

    try (EventLog log = open()) {
      log.host(Level.INFO, "after");
    }

    try (EventLog log = open()) {
      assertThat(log.after(0, 10))
          .extracting(EventRecord::message)
          .containsExactly("whole", "after");
    }
  }

  @Test
  void shouldKeepOnlyTheNewestThousandInMemory() throws Exception {
    try (EventLog log = open()) {
      for (int i = 0; i < EventLog.KEPT + 5; i++) {
        log.host(Level.INFO, "event");
      }

      List<EventRecord> kept = log.after(0, Integer.MAX_VALUE);
      assertThat(kept).hasSize(EventLog.KEPT);
      assertThat(kept.get(0).sequence()).isEqualTo(6);
    }
  }

  @Test
  void shouldRotateTheFileBeforeItGrowsTooLargeAndLoseNoSequenceNumber() throws Exception {
    String long64KiB = "x".repeat(64 << 10);
    int events = 300;
    try (EventLog log = open()) {
      for (int i = 0; i < events; i++) {
        log.host(Level.INFO, long64KiB);
      }
    }

    assertThat(Files.size(file())).isLessThanOrEqualTo(EventFile.MAX_BYTES);
    assertThat(Files.size(state.resolve("events.jsonl.1")))
        .isLessThanOrEqualTo(EventFile.MAX_BYTES);
    try (var files = Files.list(state)) {
      assertThat(files).hasSize(2);
    }
    try (EventLog log = open()) {
      log.host(Level.INFO, "next");
      List<EventRecord> kept = log.after(0, Integer.MAX_VALUE);
      assertThat(kept.get(kept.size() - 1).sequence()).isEqualTo(events + 1);
    }
  }

  @Test
  void shouldWakeFollowersUntilTheyClose() throws Exception {
    try (EventLog log = open()) {
      List<Long> seen = new ArrayList<>();
      EventLog.Following following =
          log.follow(() -> log.after(seen.size(), 10).forEach(event -> seen.add(event.sequence())));

      log.host(Level.INFO, "one");
      log.host(Level.INFO, "two");
      following.close();
      log.host(Level.INFO, "three");

      assertThat(seen).containsExactly(1L, 2L);
    }
  }

  @Test
  void shouldKeepEventsInMemoryWhenTheFileCannotBeWritten() throws Exception {
    EventLog log = open();
    log.close();

    log.host(Level.WARNING, "still known");

    assertThat(log.after(0, 10)).extracting(EventRecord::message).containsExactly("still known");
  }

  private EventLog open() throws IOException {
    return EventLog.open(state, InstantSource.fixed(NOON));
  }

  private Path file() {
    return state.resolve("events.jsonl");
  }
}
