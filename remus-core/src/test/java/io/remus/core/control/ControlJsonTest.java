package io.remus.core.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.InvalidFormatException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ControlJsonTest {
  private static final VmStatus STATUS =
      new VmStatus(
          "ledger",
          "8c3f0a5e-0d3c-4a53-9a2e-3e7f4b9f1c55",
          VmRole.PRIMARY,
          VmState.PROTECTED,
          "",
          Instant.parse("2026-11-01T10:15:30.250Z"),
          "hv2",
          List.of("hv3"),
          3,
          25,
          200,
          List.of("vda"),
          DiskDurability.JOURNAL,
          "write-protect",
          "nft bridge queue 7400",
          VmStatus.Epochs.ofPrimary(12, 11, 10),
          new VmStatus.Sync(2, 4096, 7, 1.5, 2.5, 99.0, 0),
          new Figures(
              new Figures.Times(1.9, 8.1, 12.0),
              new Figures.Times(7.0, 11.0, 20.0),
              new Figures.Counts(1200, 1500, 1600),
              new Figures.Counts(90_000, 120_000, 130_000),
              new Figures.SentBytes(700_000, 200_000, 90_000),
              11,
              38.5,
              4,
              0,
              1),
          new VmStatus.Takeover(11, 510.5, 61.0, Instant.parse("2026-11-01T10:16:00Z")),
          List.of("ARP is not held"));

  @Test
  void shouldWriteSnakeCaseNamesWordsAndIsoTimes() throws Exception {
    JsonNode json = ControlJson.replies().readTree(ControlJson.line(STATUS));

    assertThat(json.at("/role").asText()).isEqualTo("primary");
    assertThat(json.at("/state").asText()).isEqualTo("protected");
    assertThat(json.at("/since").asText()).isEqualTo("2026-11-01T10:15:30.250Z");
    assertThat(json.at("/interval_ms").asInt()).isEqualTo(25);
    assertThat(json.at("/idle_interval_ms").asInt()).isEqualTo(200);
    assertThat(json.at("/sync/dirty_pages_per_second").asDouble()).isEqualTo(1.5);
    assertThat(json.at("/figures/pause_ms/p99").asDouble()).isEqualTo(8.1);
    assertThat(json.at("/figures/bytes_per_epoch/p50").asLong()).isEqualTo(90_000);
    assertThat(json.at("/figures/sent_bytes/pages").asLong()).isEqualTo(700_000);
    assertThat(json.at("/epoch/committed").isNull()).isTrue();
  }

  @Test
  void shouldReadBackWhatItWrites() throws Exception {
    assertThat(ControlJson.replies().readValue(ControlJson.line(STATUS), VmStatus.class))
        .isEqualTo(STATUS);
  }

  @Test
  void shouldPassOverFieldsOfANewerAgentInReplies() throws Exception {
    String json = "{\"code\":\"a\",\"message\":\"b\",\"advice\":\"c\",\"since_version\":9}";

    assertThat(ControlJson.replies().readValue(json, ErrorReply.class))
        .isEqualTo(new ErrorReply("a", "b", "c"));
  }

  @Test
  void shouldRefuseUnknownFieldsInRequestsByName() {
    assertThatThrownBy(() -> read("{\"backup\":\"hv2\",\"intervall_ms\":25}"))
        .isInstanceOf(UnrecognizedPropertyException.class)
        .hasMessageContaining("intervall_ms");
  }

  @ParameterizedTest
  @ValueSource(strings = {"9", "1001", "-25"})
  void shouldRefuseAnIntervalOutOfRange(String interval) {
    assertThatThrownBy(() -> read("{\"backup\":\"hv2\",\"interval_ms\":" + interval + "}"))
        .isInstanceOf(ValueInstantiationException.class)
        .hasMessageContaining("interval_ms")
        .hasMessageContaining("10 to 1000");
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"25\"", "25.5", "true"})
  void shouldRefuseAnIntervalOfTheWrongType(String interval) {
    assertThatThrownBy(() -> read("{\"backup\":\"hv2\",\"interval_ms\":" + interval + "}"))
        .isInstanceOf(MismatchedInputException.class);
  }

  @Test
  void shouldRefuseARequestWithoutBackupOrWithAnUnknownDiskMode() {
    assertThatThrownBy(() -> read("{}")).hasMessageContaining("backup");
    assertThatThrownBy(() -> read("{\"backup\":\"hv2\",\"disk\":\"some\"}"))
        .hasMessageContaining("disk")
        .hasMessageContaining("\"none\"");
  }

  @Test
  void shouldRefuseAnUnknownStateAndATimeThatIsNone() {
    String event =
        "{\"sequence\":1,\"time\":\"%s\",\"level\":\"info\",\"message\":\"m\",\"state\":\"%s\"}";

    assertThatThrownBy(
            () ->
                ControlJson.replies()
                    .readValue(
                        event.formatted("2026-11-01T10:15:30Z", "flying"), EventRecord.class))
        .isInstanceOf(ValueInstantiationException.class)
        .hasMessageContaining("connecting, syncing, protected");
    assertThatThrownBy(
            () ->
                ControlJson.replies()
                    .readValue(event.formatted("noon", "active"), EventRecord.class))
        .isInstanceOf(InvalidFormatException.class);
  }

  @ParameterizedTest
  @EnumSource
  void shouldSayEachStateInOneSentence(VmState state) {
    assertThat(state.sentence()).endsWith(".").doesNotContain("\n").hasSizeLessThan(100);
    assertThat(VmState.parse(state.word())).isEqualTo(state);
  }

  @Test
  void shouldRefuseAnIdleIntervalThatIsShorterThanTheInterval() {
    assertThatThrownBy(
            () -> read("{\"backup\":\"hv2\",\"interval_ms\":50,\"idle_interval_ms\":49}"))
        .hasMessageContaining("idle_interval_ms: 49 is out of range, allowed are 50 to 1000");
  }

  private static ProtectRequest read(String json) throws Exception {
    return ControlJson.requests().readValue(json, ProtectRequest.class);
  }
}
