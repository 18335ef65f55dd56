package io.remus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class UnreachableTest {
  @TempDir Path directory;

  @Test
  void shouldSayThatTheAgentDoesNotRunWhenThereIsNoSocket() {
    Run run = Run.of("status", "--socket", directory.resolve("none").toString());

    assertThat(run.exit()).isEqualTo(4);
    assertThat(run.err()).contains("not running", "systemctl start remus-agent");
  }

  @Test
  void shouldSayThatTheAgentDoesNotRunWhenItsSocketIsStale() throws Exception {
    Path socket = directory.resolve("stale.sock");
    listen(socket).close();

    Run run = Run.of("status", "--socket", socket.toString());

    assertThat(run.exit()).isEqualTo(4);
    assertThat(run.err()).contains("not running");
  }

  @Test
  void shouldReportAnUnreachableAgentAsAFailedCheckOfTheDoctor() {
    Run run = Run.of("doctor", "--socket", directory.resolve("none").toString());

    assertThat(run.exit()).isEqualTo(4);
    assertThat(run.out()).contains("agent", "failed", "not running", "remus-agent doctor");
  }

  @Test
  void shouldSayThatPermissionIsMissing() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root can drop privileges");
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/setpriv")), "setpriv is not installed");
    Path socket = directory.resolve("agent.sock");
    try (ServerSocketChannel server = listen(socket)) {
      assertThat(server.isOpen()).isTrue();
      // Another's socket; and without capabilities root is a user like any other.
      Files.setAttribute(socket, "unix:uid", 65_533);
      Files.setAttribute(socket, "unix:gid", 65_533);
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw----"));
      Process remus =
          new ProcessBuilder(
                  "setpriv",
                  "--bounding-set=-all",
                  "--inh-caps=-all",
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  System.getProperty("java.class.path"),
                  "io.remus.cli.Main",
                  "status",
                  "--socket",
                  socket.toString())
              .redirectErrorStream(true)
              .start();
      String said = new String(remus.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

      assertThat(remus.waitFor()).as(said).isEqualTo(4);
      assertThat(said).contains("no permission", "usermod -aG remus");
    }
  }

  @Test
  void shouldSayThatTheConnectionBrokeWhenTheAgentDiesBeforeItAnswers() throws Exception {
    assertThat(answered("").err()).contains("the agent ended the connection");
    assertThat(answered("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[").exit()).isEqualTo(4);
  }

  @Test
  void shouldNotTakeNonsenseForAnAnswer() throws Exception {
    assertThat(answered("SSH-2.0-x\r\n\r\n").exit()).isEqualTo(4);
    Run noJson = answered("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[x");
    assertThat(noJson.exit()).isEqualTo(1);
    assertThat(noJson.err()).contains("makes no sense");
    Run noReply = answered("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    assertThat(noReply.exit()).isEqualTo(1);
    assertThat(noReply.err()).contains("503");
  }

  /** Runs status against a server that answers with these bytes and closes. */
  private Run answered(String bytes) throws Exception {
    Path socket = directory.resolve("nonsense.sock");
    Files.deleteIfExists(socket);
    try (ServerSocketChannel server = listen(socket)) {
      CompletableFuture<Run> run =
          CompletableFuture.supplyAsync(() -> Run.of("status", "--socket", socket.toString()));
      try (SocketChannel client = server.accept()) {
        client.read(ByteBuffer.allocate(4_096));
        client.write(ByteBuffer.wrap(bytes.getBytes(StandardCharsets.US_ASCII)));
      }
      return run.get();
    }
  }

  private static ServerSocketChannel listen(Path socket) throws Exception {
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    return server;
  }
}
