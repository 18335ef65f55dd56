package io.remus.agent.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.remus.agent.config.AgentConfig.Fence;
import io.remus.agent.config.AgentConfig.Peer;
import io.remus.agent.config.AgentConfig.Reprotect;
import io.remus.agent.config.AgentConfig.Tracker;
import io.remus.core.failover.ArbiterKind;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigReaderTest {
  private static final Path FILE = Path.of("remus.conf");
  private static final Path SHIPPED = Path.of("../config/remus.conf");

  @Test
  void shouldTakeTheDefaultsForAnEmptyFile() throws Exception {
    AgentConfig config = parse("");

    assertThat(config.host()).isEqualTo("hv1");
    assertThat(config.stateDirectory()).isEqualTo(Path.of("/var/lib/remus"));
    assertThat(config.listen()).isEqualTo(new AgentConfig.Listen("::", 7420));
    assertThat(config.peers()).isEmpty();
    assertThat(config.protection().interval()).isEqualTo(Duration.ofMillis(25));
    assertThat(config.failover())
        .isEqualTo(
            new AgentConfig.Failover(
                Duration.ofMillis(100),
                Duration.ofSeconds(1),
                Duration.ofSeconds(5),
                Reprotect.AUTO));
    assertThat(config.arbiter())
        .isEqualTo(
            new AgentConfig.Arbiter(
                ArbiterKind.NONE,
                List.of(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Duration.ofSeconds(1)));
    assertThat(config.memory())
        .isEqualTo(new AgentConfig.Memory(128L << 20, 128L << 20, 64L << 20, 256L << 20));
    assertThat(config.disks())
        .isEqualTo(new AgentConfig.Disks(Path.of("/var/lib/remus/disks"), 1L << 30, 0, Map.of()));
    assertThat(config.capture().tracker()).isEqualTo(Tracker.AUTO);
    assertThat(config.output()).isEqualTo(new AgentConfig.Output(7400, 65_536));
    assertThat(config.control())
        .isEqualTo(new AgentConfig.Control(Path.of("/run/remus/agent.sock"), "remus"));
    assertThat(config.log().epochs()).isEmpty();
  }

  @Test
  void shouldShipAFileThatChangesNothing() throws Exception {
    assertThat(ConfigReader.read(SHIPPED, "hv1")).isEqualTo(parse(""));
  }

  @Test
  void shouldShipAFileWhoseCommentedKeysAreTheDefaults() throws Exception {
    String uncommented =
        Files.readAllLines(SHIPPED).stream()
            .map(line -> line.matches("#(\\[|[a-z_]+ = ).*") ? line.substring(1) : line)
            .collect(Collectors.joining("\n"));

    AgentConfig config = parse(uncommented);

    Fence fence =
        new Fence(
            "fence_ipmilan",
            Map.of(
                "ip", "10.9.0.2",
                "username", "remus",
                "password_script", "/etc/remus/ipmi-password",
                "lanplus", "true"));
    Peer peer = new Peer("hv2", "10.0.0.2", 7420, Optional.of("192.168.1.2"), Optional.of(fence));
    assertThat(config.peers()).isEqualTo(Map.of("hv2", peer));
    assertThat(config).usingRecursiveComparison().ignoringFields("peers").isEqualTo(parse(""));
    assertThat(uncommented.lines().filter(line -> line.matches("[a-z_]+ = .*")).count())
        .as("keys the file shows")
        .isEqualTo(37);
  }

  @Test
  void shouldReadEveryKey() throws Exception {
    AgentConfig config =
        parse(
            """
            host = "alpha"
            state_directory = "/srv/remus"
            [listen]
            address = "10.0.0.1"
            port = 7000
            [pki]
            ca = "/p/ca"
            certificate = "/p/crt"
            key = "/p/key"
            [peers."beta.example"]
            address = "10.0.0.2"
            port = 7001
            [protection]
            interval = "50ms"
            idle_interval = "300ms"
            [failover]
            heartbeat = "200ms"
            timeout = "600ms"
            agent_grace = "0s"
            reprotect = "manual"
            [arbiter]
            kind = "etcd"
            endpoints = ["https://10.0.0.5:2379", "http://[fd00::6]:2379/"]
            ca = "/e/ca"
            certificate = "/e/crt"
            key = "/e/key"
            delay = "3s"
            [memory]
            arena = "1GiB"
            delta_cache = "2GiB"
            disk = "1MiB"
            stage = "512MiB"
            [disks]
            directory = "/d"
            journal = "2GiB"
            copy_rate = "50MiB"
            [disks.devices]
            "db1:vda" = "/dev/vg/db1"
            [capture]
            tracker = "soft-dirty"
            [output]
            first_queue = 10
            queue_packets = 2048
            [control]
            socket = "/s/a.sock"
            group = "wheel"
            [log]
            epochs = "/var/log/epochs"
            """);

    assertThat(config.host()).isEqualTo("alpha");
    assertThat(config.peers())
        .containsEntry(
            "beta.example",
            new Peer("beta.example", "10.0.0.2", 7001, Optional.empty(), Optional.empty()));
    assertThat(config.arbiter())
        .isEqualTo(
            new AgentConfig.Arbiter(
                ArbiterKind.ETCD,
                List.of(URI.create("https://10.0.0.5:2379"), URI.create("http://[fd00::6]:2379")),
                Optional.of(Path.of("/e/ca")),
                Optional.of(Path.of("/e/crt")),
                Optional.of(Path.of("/e/key")),
                Duration.ofSeconds(3)));
    assertThat(config.failover().timeout()).isEqualTo(Duration.ofMillis(600));
    assertThat(config.failover().agentGrace()).isZero();
    assertThat(config.failover().reprotect()).isEqualTo(Reprotect.MANUAL);
    assertThat(config.memory().deltaCache()).isEqualTo(2L << 30);
    assertThat(config.capture().tracker()).isEqualTo(Tracker.SOFT_DIRTY);
    assertThat(config.disks())
        .isEqualTo(
            new AgentConfig.Disks(
                Path.of("/d"), 2L << 30, 50L << 20, Map.of("db1:vda", Path.of("/dev/vg/db1"))));
    assertThat(config.pki().key()).isEqualTo(Path.of("/p/key"));
    assertThat(config.log().epochs()).contains(Path.of("/var/log/epochs"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          hots = 'a'                               | 2 | unknown key hots           | host
          [listn]                                  | 2 | unknown section listn      | listen
          [listen]\\nprot = 1                      | 3 | unknown key listen.prot    | address, port
          [listen]\\nport = 0                      | 3 | listen.port                | 1 to 65535
          [listen]\\nport = '7420'                 | 3 | listen.port                | whole number
          [listen]\\naddress = ''                  | 3 | listen.address             | empty
          listen = 5                               | 2 | listen                     | [listen]
          state_directory = 'var'                  | 2 | state_directory            | absolute
          [peers.hv2]\\nport = 1                   | 2 | peers.hv2.address          | missing
          [peers.hv2]\\naddress = 'a'\\nadress = 1 | 4 | unknown key peers.hv2.adress | heartbeat_address
          [peers.hv1]\\naddress = 'a'              | 2 | peers.hv1                  | the host itself
          [protection]\\ninterval = '5ms'          | 3 | protection.interval        | 10ms to 1s
          [protection]\\ninterval = 25             | 3 | protection.interval        | duration in quotes
          [protection]\\ninterval = 'fast'         | 3 | protection.interval        | such as "25ms"
          [failover]\\ntimeout = '200ms'           | 3 | failover.timeout           | three heartbeats
          [arbiter]\\nkind = 'raft'                | 3 | arbiter.kind               | "etcd"
          [arbiter]\\nkind = 'etcd'                | 2 | arbiter.endpoints          | members
          [arbiter]\\nendpoints = ['a:2379']      | 3 | arbiter.endpoints          | https://
          [arbiter]\\nendpoints = ['http://a']    | 3 | arbiter.endpoints          | port
          [arbiter]\\nendpoints = [1]             | 3 | arbiter.endpoints          | texts in quotes
          [arbiter]\\nca = 'x'                    | 3 | arbiter.ca                 | absolute
          [arbiter]\\nkey = '/k'                  | 3 | arbiter.key                | write both
          [arbiter]\\ndelay = '31s'               | 3 | arbiter.delay              | 0ms to 30s
          [peers.a]\\naddress='a'\\n[arbiter]\\nkind='fence' | 2 | peers.a | [peers.a.fence]
          [peers.a.fence]\\noptions={}            | 2 | peers.a.fence.agent        | missing
          [peers.a]\\naddress='a'\\nfence={agent='f',options={action='on'}} | 4 | fence.options.action | of f --help
          [memory]\\narena = '64MB'                | 3 | memory.arena               | such as "64MiB"
          [memory]\\nstage = '1MiB'                | 3 | memory.stage               | 16MiB to 64GiB
          [disks]\\njournal = '1MiB'              | 3 | disks.journal              | 64MiB to 1024GiB
          [disks]\\ndirectory = 'd'               | 3 | disks.directory            | absolute
          [disks.devices]\\ndb1 = '/dev/a'        | 3 | disks.devices.db1          | VM:DISK
          [disks.devices]\\n'a:b' = 'c'           | 3 | disks.devices.a:b          | absolute
          [capture]\\ntracker = 'magic'            | 3 | capture.tracker            | "write-protect"
          [output]\\nqueue_packets = 1             | 3 | output.queue_packets       | 1024 to 1048576
          [log]\\nepochs = 'here'                  | 3 | log.epochs                 | absolute
          host = 'a'\\nhost = 'b'                  | 3 | host                       | defined
          host =                                   | 2 | Unexpected                 | expected
          """)
  void shouldRefuseAMistakeWithItsLineItsKeyAndWhatIsAllowed(
      String text, int line, String key, String allowed) {
    // A comment first, so that a line that is always 1 does not pass.
    String file = "# first\n" + text.replace("\\n", "\n");

    assertThatThrownBy(() -> parse(file))
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith("remus.conf:" + line + ": ")
        .hasMessageContaining(key)
        .hasMessageContaining(allowed);
  }

  @Test
  void shouldReadAFenceDeviceAndKeepItsPasswordOutOfLogs() throws Exception {
    AgentConfig config =
        parse(
            """
            [arbiter]
            kind = "fence"
            [peers.hv2]
            address = "10.0.0.2"
            [peers.hv2.fence]
            agent = "fence_x"
            options = { password = "secret", port = 2, ssl = true }
            """);

    assertThat(config.peers().get("hv2").fence())
        .contains(new Fence("fence_x", Map.of("password", "secret", "port", "2", "ssl", "true")));
    assertThat(config.toString()).contains("fence_x").doesNotContain("secret");
  }

  @Test
  void shouldReportEveryProblemAtOnceInTheOrderOfTheFile() {
    ConfigException refused =
        catchThrowableOfType(
            ConfigException.class,
            () -> parse("[memory]\narena = '1'\nfoo = 2\n[listen]\nport = 99999\n[bar]\n"));

    assertThat(refused.problems())
        .extracting(ConfigException.Problem::line)
        .containsExactly(2, 3, 5, 6);
    assertThat(refused.getMessage().lines()).hasSize(4);
  }

  @Test
  void shouldSayThatAFileIsMissingOrCannotBeRead(@TempDir Path directory) {
    assertThatThrownBy(() -> ConfigReader.read(directory.resolve("none"), "hv1"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("does not exist");
    assertThatThrownBy(() -> ConfigReader.read(directory, "hv1"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("cannot be read");
  }

  private static AgentConfig parse(String text) throws ConfigException {
    return ConfigReader.parse(FILE, text, "hv1");
  }
}
