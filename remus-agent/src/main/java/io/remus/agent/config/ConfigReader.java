package io.remus.agent.config;

import io.remus.agent.config.AgentConfig.Arbiter;
import io.remus.agent.config.AgentConfig.Capture;
import io.remus.agent.config.AgentConfig.Control;
import io.remus.agent.config.AgentConfig.Disks;
import io.remus.agent.config.AgentConfig.Failover;
import io.remus.agent.config.AgentConfig.Fence;
import io.remus.agent.config.AgentConfig.Listen;
import io.remus.agent.config.AgentConfig.Log;
import io.remus.agent.config.AgentConfig.Memory;
import io.remus.agent.config.AgentConfig.Output;
import io.remus.agent.config.AgentConfig.Peer;
import io.remus.agent.config.AgentConfig.Pki;
import io.remus.agent.config.AgentConfig.Protection;
import io.remus.agent.config.AgentConfig.Reprotect;
import io.remus.agent.config.AgentConfig.Tracker;
import io.remus.agent.config.ConfigException.Problem;
import io.remus.core.control.DurationText;
import io.remus.core.control.ProtectRequest;
import io.remus.core.failover.ArbiterKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.tomlj.Toml;
import org.tomlj.TomlParseResult;

/** Reads the configuration file: every key with its default and its range. */
public final class ConfigReader {
  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;

  private final List<Problem> problems = new ArrayList<>();
  private final String hostname;

  private ConfigReader(String hostname) {
    this.hostname = hostname;
  }

  /**
   * Reads a file.
   *
   * @param hostname the name of this host, for a file that does not set one
   * @throws ConfigException listing everything that is wrong, also when the file cannot be read
   */
  public static AgentConfig read(Path file, String hostname) throws ConfigException {
    String text;
    try {
      text = Files.readString(file);
    } catch (NoSuchFileException e) {
      throw new ConfigException(
          file, List.of(new Problem(0, "the configuration file does not exist")));
    } catch (IOException e) {
      throw new ConfigException(
          file, List.of(new Problem(0, "the configuration file cannot be read: " + e)));
    }
    return parse(file, text, hostname);
  }

  /**
   * Reads the text of a file.
   *
   * @param file its name, for the messages
   * @throws ConfigException listing everything that is wrong
   */
  public static AgentConfig parse(Path file, String text, String hostname) throws ConfigException {
    TomlParseResult toml = Toml.parse(text);
    if (toml.hasErrors()) {
      throw new ConfigException(
          file,
          toml.errors().stream()
              .map(error -> new Problem(error.position().line(), error.getMessage()))
              .toList());
    }
    ConfigReader reader = new ConfigReader(hostname);
    AgentConfig config = reader.config(new Section("", toml, 0, reader.problems));
    if (!reader.problems.isEmpty()) {
      reader.problems.sort(Comparator.comparingInt(Problem::line));
      throw new ConfigException(file, reader.problems);
    }
    return config;
  }

  private AgentConfig config(Section root) {
    try (root) {
      String host = root.text("host", hostname);
      Arbiter arbiter = arbiter(root);
      return new AgentConfig(
          host,
          path(root, "state_directory", "/var/lib/remus"),
          listen(root),
          pki(root),
          peers(root, host, arbiter.kind()),
          protection(root),
          failover(root),
          arbiter,
          memory(root),
          disks(root),
          capture(root),
          output(root),
          control(root),
          log(root));
    }
  }

  private static Listen listen(Section root) {
    try (Section section = root.section("listen")) {
      return new Listen(section.text("address", "::"), port(section));
    }
  }

  private static Pki pki(Section root) {
    try (Section section = root.section("pki")) {
      return new Pki(
          path(section, "ca", "/etc/remus/pki/ca.crt"),
          path(section, "certificate", "/etc/remus/pki/host.crt"),
          path(section, "key", "/etc/remus/pki/host.key"));
    }
  }

  private static Map<String, Peer> peers(Section root, String host, ArbiterKind arbiter) {
    Map<String, Peer> peers = new TreeMap<>();
    Section all = root.section("peers");
    for (String name : all.names()) {
      if (name.equals(host)) {
        all.refuse(name, "this is the host itself, a peer is another host");
      }
      try (Section section = all.section(name)) {
        Peer peer =
            new Peer(
                name,
                section.requiredText("address"),
                port(section),
                section.optionalText("heartbeat_address"),
                fence(section));
        if (arbiter == ArbiterKind.FENCE && peer.fence().isEmpty()) {
          all.refuse(
              name,
              "it has no fence device, and arbiter.kind is \"fence\"; write [peers.%s.fence] with agent and options"
                  .formatted(name));
        }
        peers.put(name, peer);
      }
    }
    return peers;
  }

  private static Protection protection(Section root) {
    try (Section section = root.section("protection")) {
      return new Protection(
          section.duration(
              "interval",
              Duration.ofMillis(25),
              Duration.ofMillis(ProtectRequest.MIN_INTERVAL_MS),
              Duration.ofMillis(ProtectRequest.MAX_INTERVAL_MS)),
          section.duration(
              "idle_interval",
              Duration.ofMillis(200),
              Duration.ofMillis(ProtectRequest.MIN_INTERVAL_MS),
              Duration.ofMillis(ProtectRequest.MAX_INTERVAL_MS)));
    }
  }

  private static Failover failover(Section root) {
    try (Section section = root.section("failover")) {
      Duration heartbeat =
          section.duration(
              "heartbeat", Duration.ofMillis(100), Duration.ofMillis(10), Duration.ofSeconds(10));
      Duration timeout =
          section.duration(
              "timeout", Duration.ofSeconds(1), Duration.ofMillis(30), Duration.ofMinutes(2));
      if (timeout.compareTo(heartbeat.multipliedBy(3)) < 0) {
        // Two lost heartbeats are a hiccup of the network, not the loss of a host.
        section.refuse(
            "timeout",
            "%s is too short for a heartbeat of %s; allowed are three heartbeats or more"
                .formatted(DurationText.format(timeout), DurationText.format(heartbeat)));
      }
      return new Failover(
          heartbeat,
          timeout,
          section.duration(
              "agent_grace", Duration.ofSeconds(5), Duration.ZERO, Duration.ofMinutes(10)),
          section.choice(
              "reprotect", Reprotect.AUTO, List.of(Reprotect.values()), Reprotect::word));
    }
  }

  private static Optional<Fence> fence(Section peer) {
    if (!peer.has("fence")) {
      return Optional.empty();
    }
    try (Section section = peer.section("fence")) {
      String agent = section.requiredText("agent");
      Map<String, String> options = new TreeMap<>();
      Section all = section.section("options");
      for (String name : all.names()) {
        // The program is told one option a line, and the action by the agent.
        if (!name.matches("[A-Za-z0-9_-]+") || name.equals("action")) {
          all.refuse(name, "this is no option; allowed are those of %s --help".formatted(agent));
        }
        options.put(name, all.scalar(name));
      }
      return Optional.of(new Fence(agent, options));
    }
  }

  private static Arbiter arbiter(Section root) {
    try (Section section = root.section("arbiter")) {
      Arbiter arbiter =
          new Arbiter(
              section.choice(
                  "kind", ArbiterKind.NONE, List.of(ArbiterKind.values()), ArbiterKind::word),
              section.texts("endpoints", "http:// or https://, host and port", EndpointText::parse),
              optionalPath(section, "ca"),
              optionalPath(section, "certificate"),
              optionalPath(section, "key"),
              section.duration(
                  "delay", Duration.ofSeconds(1), Duration.ZERO, Duration.ofSeconds(30)));
      if (arbiter.kind() == ArbiterKind.ETCD && arbiter.endpoints().isEmpty()) {
        section.refuse(
            "endpoints",
            "arbiter.kind is \"etcd\", so write the members of etcd, such as [\"https://10.0.0.5:2379\"]");
      }
      if (arbiter.certificate().isPresent() != arbiter.key().isPresent()) {
        section.refuse(
            arbiter.key().isPresent() ? "key" : "certificate",
            "certificate and key belong together; write both or none");
      }
      return arbiter;
    }
  }

  private static Memory memory(Section root) {
    try (Section section = root.section("memory")) {
      return new Memory(
          section.size("arena", 128 * MIB, 4 * MIB, 16 * GIB),
          section.size("delta_cache", 128 * MIB, MIB, 64 * GIB),
          section.size("disk", 64 * MIB, MIB, 16 * GIB),
          section.size("stage", 256 * MIB, 16 * MIB, 64 * GIB));
    }
  }

  private static Disks disks(Section root) {
    try (Section section = root.section("disks")) {
      Map<String, Path> devices = new TreeMap<>();
      Section byName = section.section("devices");
      for (String name : byName.names()) {
        if (!name.matches("[^:]+:[^:]+")) {
          byName.refuse(name, "\"%s\" is not VM:DISK, such as \"db1:vda\"".formatted(name));
        }
        devices.put(name, path(byName, name, ""));
      }
      return new Disks(
          path(section, "directory", "/var/lib/remus/disks"),
          section.size("journal", GIB, 64 * MIB, 1024 * GIB),
          section.size("copy_rate", 0, 0, 1024 * GIB),
          devices);
    }
  }

  private static Capture capture(Section root) {
    try (Section section = root.section("capture")) {
      return new Capture(
          section.choice("tracker", Tracker.AUTO, List.of(Tracker.values()), Tracker::word));
    }
  }

  private static Output output(Section root) {
    try (Section section = root.section("output")) {
      return new Output(
          section.number("first_queue", 7400, 0, 65_000),
          section.number("queue_packets", 65_536, 1_024, 1_048_576));
    }
  }

  private static Control control(Section root) {
    try (Section section = root.section("control")) {
      return new Control(
          path(section, "socket", "/run/remus/agent.sock"), section.text("group", "remus"));
    }
  }

  private static Log log(Section root) {
    try (Section section = root.section("log")) {
      return new Log(optionalPath(section, "epochs"));
    }
  }

  private static int port(Section section) {
    return section.number("port", AgentConfig.PORT, 1, 65_535);
  }

  private static Optional<Path> optionalPath(Section section, String key) {
    return section.optionalText(key).map(text -> absolute(section, key, Path.of(text)));
  }

  private static Path path(Section section, String key, String fallback) {
    return absolute(section, key, Path.of(section.text(key, fallback)));
  }

  private static Path absolute(Section section, String key, Path path) {
    if (!path.isAbsolute()) {
      section.refuse(key, "\"%s\" is no absolute path; allowed is one".formatted(path));
    }
    return path;
  }
}
