package io.remus.agent.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.remus.agent.config.AgentConfig;
import io.remus.agent.peer.TestPki;
import io.remus.core.failover.ArbiterKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Members of a real etcd on this machine's loopback. {@code scripts/setup} installs it. */
public final class EtcdCluster implements AutoCloseable {
  private final Path directory;
  private final Optional<TestPki> pki;
  private final List<Member> members = new ArrayList<>();

  /** Starts them and waits until each answers. */
  public EtcdCluster(Path directory, int size) throws Exception {
    this(directory, size, Optional.empty());
  }

  /**
   * The same with TLS on both sides.
   *
   * @param pki has issued a certificate for {@code localhost}, which everybody uses
   */
  EtcdCluster(Path directory, int size, Optional<TestPki> pki) throws Exception {
    this.directory = directory;
    this.pki = pki;
    for (int i = 0; i < size; i++) {
      members.add(new Member("m" + i, freePort(), freePort()));
    }
    // An interrupted build leaves no etcd behind.
    Runtime.getRuntime().addShutdownHook(new Thread(this::close));
    try {
      members.forEach(Member::start);
      awaitAnswers();
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  /** Waits until every member that runs has a leader. */
  public void awaitAnswers() throws Exception {
    for (Member member : members) {
      if (member.process.isAlive()) {
        try (EtcdClient client = EtcdClient.open(config(List.of(member.client())))) {
          await()
              .atMost(Duration.ofSeconds(60))
              .ignoreExceptions()
              .until(() -> client.read("/nothing", Deadline.ofQuestion()).isMissing());
        }
      }
    }
  }

  public Member member(int index) {
    return members.get(index);
  }

  /** A client of all members, in their order. */
  public EtcdClient client() throws IOException {
    return EtcdClient.open(config());
  }

  /** How to reach all members. */
  public AgentConfig.Arbiter config() {
    return config(members.stream().map(Member::client).toList());
  }

  private AgentConfig.Arbiter config(List<URI> endpoints) {
    return config(
        endpoints,
        pki.map(TestPki::ca),
        pki.map(made -> made.certificate("localhost")),
        pki.map(made -> made.key("localhost")));
  }

  static AgentConfig.Arbiter config(
      List<URI> endpoints, Optional<Path> ca, Optional<Path> certificate, Optional<Path> key) {
    return new AgentConfig.Arbiter(
        ArbiterKind.ETCD, endpoints, ca, certificate, key, Duration.ZERO);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  @Override
  public void close() {
    members.forEach(Member::kill);
  }

  /** One process. */
  public final class Member {
    private final String name;
    private final int clientPort;
    private final int peerPort;
    private Process process;

    private Member(String name, int clientPort, int peerPort) {
      this.name = name;
      this.clientPort = clientPort;
      this.peerPort = peerPort;
    }

    public URI client() {
      return URI.create(
          (pki.isPresent() ? "https://localhost:" : "http://127.0.0.1:") + clientPort);
    }

    private List<String> tls() {
      return pki.map(
              made ->
                  List.of(
                      "--client-cert-auth",
                      "--trusted-ca-file=" + made.ca(),
                      "--cert-file=" + made.certificate("localhost"),
                      "--key-file=" + made.key("localhost")))
          .orElse(List.of());
    }

    private String peer() {
      return "http://127.0.0.1:" + peerPort;
    }

    /** Starts it, or starts it again with what it knew. */
    public void start() {
      String cluster =
          members.stream()
              .map(member -> member.name + "=" + member.peer())
              .collect(Collectors.joining(","));
      List<String> command = new ArrayList<>(tls());
      command.addAll(
          0,
          List.of(
              "etcd",
              "--name=" + name,
              "--data-dir=" + directory.resolve(name),
              "--listen-client-urls=" + client().getScheme() + "://127.0.0.1:" + clientPort,
              "--advertise-client-urls=" + client(),
              "--listen-peer-urls=" + peer(),
              "--initial-advertise-peer-urls=" + peer(),
              "--initial-cluster=" + cluster,
              // Tests lose no power; the rest of the machine need not wait for its disk.
              "--unsafe-no-fsync",
              // The least it takes: a lost leader is not what is waited for here.
              "--heartbeat-interval=50",
              "--election-timeout=500"));
      try {
        process =
            new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(
                    ProcessBuilder.Redirect.appendTo(directory.resolve(name + ".log").toFile()))
                .start();
      } catch (IOException e) {
        throw new UncheckedIOException("etcd is needed; scripts/setup installs it", e);
      }
    }

    /** As by a power-off, but for what it has not written yet. */
    public void kill() {
      if (process != null) {
        process.destroyForcibly();
        process.onExit().join();
      }
    }

    /** Loses its disk. */
    public void forget() throws IOException {
      try (Stream<Path> files = Files.walk(directory.resolve(name))) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }

    /** Stops it without a word: its connections stay open. */
    public void freeze() {
      signal("STOP");
    }

    /** Lets it go on. */
    public void thaw() {
      signal("CONT");
    }

    private void signal(String signal) {
      try {
        Process kill = new ProcessBuilder("kill", "-" + signal, "" + process.pid()).start();
        assertThat(kill.onExit().join().exitValue()).as("kill -" + signal).isZero();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
