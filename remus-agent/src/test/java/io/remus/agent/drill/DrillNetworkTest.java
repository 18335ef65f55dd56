package io.remus.agent.drill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A real namespace of this machine. */
@Timeout(60)
class DrillNetworkTest {
  private static final String NAME = "remus-test-" + ProcessHandle.current().pid();

  private final DrillNetwork network = new DrillNetwork(NAME);

  @BeforeEach
  void needRoot() throws IOException {
    assumeTrue(Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0), "needs root");
    assumeTrue(
        Files.isExecutable(Path.of("/usr/sbin/ip")) || Files.isExecutable(Path.of("/sbin/ip")));
  }

  @AfterEach
  void remove() throws IOException {
    network.remove();
  }

  @Test
  void shouldHaveItsAddressAndNoWayOut() throws Exception {
    network.make("10.77.0.99/24");

    assertThat(inside("ip", "-brief", "address", "show", "lan")).contains("10.77.0.99/24");
    assertThat(inside("ip", "-brief", "link").lines())
        .allMatch(line -> line.matches("(lo|lan) .*"), "lo and lan only");
    assertThat(inside("ip", "route").lines()).hasSize(1);
  }

  @Test
  void shouldTakeAnAddressOfIpVersion6OrNone() throws Exception {
    network.make("fd77::99/64");
    assertThat(inside("ip", "-brief", "address", "show", "lan")).contains("fd77::99/64");

    network.remove();
    network.make(null);
    assertThat(inside("ip", "-4", "-brief", "address", "show", "lan")).isEmpty();
  }

  @Test
  void shouldEndWhatRunsInItWhenItIsRemoved() throws Exception {
    network.make(null);
    Process inside = new ProcessBuilder("ip", "netns", "exec", NAME, "sleep", "600").start();
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> inside.info().command().orElse("").endsWith("sleep"));

    network.remove();

    assertThat(inside.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(network.exists()).isFalse();
    network.remove();
  }

  @Test
  void shouldSayWhatTheCommandSaid() {
    assertThatThrownBy(() -> network.make("10.77.0.99/99"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("ip -n " + NAME + " address add 10.77.0.99/99");
  }

  private static String inside(String... command) throws Exception {
    ProcessBuilder builder = new ProcessBuilder("ip", "netns", "exec", NAME);
    builder.command().addAll(List.of(command));
    Process process = builder.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return said.strip();
  }
}
