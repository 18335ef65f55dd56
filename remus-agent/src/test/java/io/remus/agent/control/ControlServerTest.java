package io.remus.agent.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.remus.agent.status.EventLog;
import io.remus.core.control.EventRecord.Level;
import io.remus.core.control.VmStatus;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(120)
class ControlServerTest {
  @TempDir Path directory;
  private final RecordedOperations operations = new RecordedOperations();
  private EventLog events;
  private Path socket;
  private ControlServer server;

  @BeforeEach
  void start() throws IOException {
    socket = directory.resolve("run/agent.sock");
    events = EventLog.open(directory, InstantSource.system());
    server = serve();
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
    events.close();
  }

  @Test
  void shouldAnswerInJson() {
    String answer = get("/v1/vms");

    assertThat(answer)
        .startsWith("HTTP/1.1 200 OK\r\n")
        .containsIgnoringCase("content-type: application/json")
        .contains("\"name\":\"ledger\"", "\"state\":\"connecting\"", "\"interval_ms\":25");
    assertThat(get("/v1/vms/ledger")).startsWith("HTTP/1.1 200").contains("\"peer\":\"hv2\"");
    assertThat(get("/v1/info")).contains("\"host\":\"hv1\"", "\"uptime_seconds\":7");
  }

  @Test
  void shouldProtectAndUnprotect() {
    String body =
        "{\"backup\":\"hv2\",\"interval_ms\":50,\"idle_interval_ms\":100,\"disk\":\"none\",\"disk_durability\":\"journal\",\"spares\":[\"hv3\"]}";

    assertThat(exchange("PUT", "/v1/vms/ledger/protection", body)).startsWith("HTTP/1.1 200");
    assertThat(exchange("DELETE", "/v1/vms/ledger/protection", "")).startsWith("HTTP/1.1 204");
    assertThat(exchange("DELETE", "/v1/vms/ledger/protection?force=true", ""))
        .startsWith("HTTP/1.1 204");

    assertThat(operations.asked)
        .containsExactly(
            "protect ledger ProtectRequest[backup=hv2, intervalMs=50, idleIntervalMs=100, disk=none, diskDurability=JOURNAL, spares=[hv3]]",
            "unprotect ledger",
            "unprotect ledger force");
  }

  @Test
  void shouldDecodeTheNameOfTheVm() {
    assertThat(exchange("DELETE", "/v1/vms/my%20vm%C3%A9/protection", ""))
        .startsWith("HTTP/1.1 204");

    assertThat(operations.asked).containsExactly("unprotect my vmé");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          GET    | /v1/vms/other                       | ''                                   | 404 | unknown-vm
          POST   | /v1/vms/ledger/failover             | ''                                   | 404 | unknown-vm
          GET    | /v2/vms                             | ''                                   | 404 | unknown-request
          GET    | /v1/vms/a/b                         | ''                                   | 404 | unknown-request
          POST   | /v1/vms                             | ''                                   | 405 | unknown-request
          GET    | /v1/vms?all=1                       | ''                                   | 400 | all: unknown parameter
          GET    | /v1/vms/%zz                         | ''                                   | 400 | not well encoded
          DELETE | /v1/vms/ledger/protection?force=yes | ''                                   | 400 | force:
          DELETE | /v1/vms/l/protection?force=true&force=true | ''                            | 400 | more than once
          GET    | /v1/events?since=-1                 | ''                                   | 400 | since:
          PUT    | /v1/vms/ledger/protection           | ''                                   | 400 | no body
          PUT    | /v1/vms/ledger/protection           | null                                 | 400 | null
          PUT    | /v1/vms/ledger/protection           | {"backup"                            | 400 | no JSON
          PUT    | /v1/vms/ledger/protection           | []                                   | 400 | wrong type
          PUT    | /v1/vms/ledger/protection           | {}                                   | 400 | backup:
          PUT    | /v1/vms/ledger/protection           | {"backup":"b","interval":1}          | 400 | interval: unknown field
          PUT    | /v1/vms/ledger/protection           | {"backup":"b","interval_ms":"25"}    | 400 | interval_ms: has the wrong type
          PUT    | /v1/vms/ledger/protection           | {"backup":"b","interval_ms":5}       | 400 | interval_ms: 5 is out of range
          PUT    | /v1/vms/ledger/protection           | {"backup":"b","disk":"all"}          | 400 | disk:
          GET    | /v1/doctor                          | ''                                   | 500 | the doctor is ill
          """)
  void shouldRefuseWithStatusAndReason(
      String method, String path, String body, int status, String reason) {
    assertThat(exchange(method, path, body))
        .startsWith("HTTP/1.1 " + status + " ")
        .contains(reason)
        .contains("\"code\":", "\"advice\":");
    assertThat(operations.asked).isEmpty();
  }

  @Test
  void shouldAnswerARefusalThatComesLater() {
    operations.protecting =
        CompletableFuture.supplyAsync(
            () -> {
              throw RefusedException.conflict(
                  "already-protected", "VM ledger is already protected", "Nothing to do.");
            });

    assertThat(exchange("PUT", "/v1/vms/ledger/protection", "{\"backup\":\"hv2\"}"))
        .startsWith("HTTP/1.1 409 ")
        .contains("\"code\":\"already-protected\"", "\"advice\":\"Nothing to do.\"");
  }

  @Test
  void shouldServeOthersWhileOperationsTakeTheirTime() {
    CompletableFuture<VmStatus> slow = new CompletableFuture<>();
    operations.protecting = slow;
    List<CompletableFuture<String>> waiting = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      waiting.add(
          CompletableFuture.supplyAsync(
              () -> exchange("PUT", "/v1/vms/ledger/protection", "{\"backup\":\"hv2\"}")));
    }

    assertThat(get("/v1/info")).startsWith("HTTP/1.1 200");

    slow.complete(RecordedOperations.status("ledger"));
    assertThat(waiting)
        .allSatisfy(
            answer -> assertThat(answer.get(60, TimeUnit.SECONDS)).startsWith("HTTP/1.1 200"));
  }

  @Test
  void shouldRefuseABodyThatIsTooLarge() {
    String body = "x".repeat(ControlServer.MAX_BODY_BYTES + 1);

    assertThat(exchange("PUT", "/v1/vms/ledger/protection", body))
        .startsWith("HTTP/1.1 413")
        .contains("body-too-large");
  }

  @Test
  void shouldRefuseWhatIsNoHttp() throws Exception {
    try (RawHttp http = new RawHttp(socket)) {
      http.send("\u0001\u0002 garbage\r\n\r\n");
      assertThat(http.readAll()).startsWith("HTTP/1.1 400");
    }
    assertThat(get("/v1/info")).startsWith("HTTP/1.1 200");
  }

  @Test
  void shouldSendTheEventsAfterASequenceNumber() {
    events.host(Level.INFO, "one");
    events.vm(Level.WARNING, "ledger", "two");

    assertThat(get("/v1/events?since=1"))
        .containsIgnoringCase("content-type: application/x-ndjson")
        .containsIgnoringCase("transfer-encoding: chunked")
        .contains("\"message\":\"two\"")
        .doesNotContain("\"message\":\"one\"")
        .endsWith("\r\n0\r\n\r\n");
  }

  @Test
  void shouldSendEventsAsTheyHappenToAFollower() throws Exception {
    events.host(Level.INFO, "before");
    try (RawHttp http = new RawHttp(socket)) {
      http.send(RawHttp.request("GET", "/v1/events?follow=true", ""));
      StringBuilder seen = new StringBuilder();
      readUntil(http, seen, "\"message\":\"before\"");

      events.host(Level.INFO, "during");

      readUntil(http, seen, "\"message\":\"during\"");
    }
  }

  @Test
  void shouldNotMindAFollowerThatNeverReads() throws Exception {
    try (RawHttp http = new RawHttp(socket)) {
      http.send(RawHttp.request("GET", "/v1/events?follow=true", ""));
      String large = "x".repeat(4_096);
      for (int i = 0; i < 3_000; i++) {
        events.host(Level.INFO, large);
      }

      assertThat(get("/v1/info")).startsWith("HTTP/1.1 200");
      StringBuilder seen = new StringBuilder();
      readUntil(http, seen, "{\"sequence\":3000,");
    }
  }

  @Test
  void shouldLetOnlyRootAndTheGroupUseTheSocket() throws Exception {
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
        .isEqualTo("rw-rw----");
    assertThat(Files.getAttribute(socket, "unix:gid")).isEqualTo(0);
  }

  @Test
  void shouldReplaceAStaleSocket() throws Exception {
    server.close();
    try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(UnixDomainSocketAddress.of(socket));
    }
    assertThat(socket).exists();

    server = serve();

    assertThat(get("/v1/info")).startsWith("HTTP/1.1 200");
  }

  @Test
  void shouldNotTakeTheSocketOfALiveAgent() {
    assertThatThrownBy(this::serve)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("another agent serves");
    assertThat(get("/v1/info")).startsWith("HTTP/1.1 200");
  }

  @Test
  void shouldNotReplaceAFileThatIsNoSocket() throws Exception {
    server.close();
    Files.writeString(socket, "precious");

    assertThatThrownBy(this::serve).hasMessageContaining("is no socket");
    assertThat(socket).hasContent("precious");
  }

  @Test
  void shouldTakeTheSocketAwayWhenItEnds() throws Exception {
    server.close();

    assertThat(socket).doesNotExist();
  }

  @Test
  void shouldWorkWithCurl() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/curl")), "curl is not installed");
    Process curl =
        new ProcessBuilder(
                "curl",
                "-sS",
                "--unix-socket",
                socket.toString(),
                "-X",
                "PUT",
                "-d",
                "{\"backup\":\"hv2\"}",
                "http://remus/v1/vms/ledger/protection")
            .redirectErrorStream(true)
            .start();
    String answer = new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(curl.waitFor()).as(answer).isZero();
    assertThat(answer).contains("\"name\":\"ledger\"");
    await().untilAsserted(() -> assertThat(operations.asked).hasSize(1));
  }

  private ControlServer serve() throws IOException {
    return ControlServer.start(socket, "no-such-group-here", operations, events);
  }

  private String get(String path) {
    return exchange("GET", path, "");
  }

  private String exchange(String method, String path, String body) {
    return RawHttp.exchange(socket, method, path, body);
  }

  private static void readUntil(RawHttp http, StringBuilder seen, String expected)
      throws IOException {
    while (seen.indexOf(expected) < 0) {
      String some = http.readSome();
      assertThat(some).as("the stream goes on").isNotEmpty();
      seen.append(some);
    }
  }
}
