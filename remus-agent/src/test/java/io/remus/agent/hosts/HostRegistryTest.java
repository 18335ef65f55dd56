package io.remus.agent.hosts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.remus.agent.etcd.EtcdCluster;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostRegistryTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration TTL = Duration.ofSeconds(2);

  @Test
  void shouldListHostsAsLongAsTheirAgentsRunAndOverALossOfEtcd(@TempDir Path directory)
      throws Exception {
    AtomicReference<String> document = new AtomicReference<>("{\"free\":1}");
    try (EtcdCluster cluster = new EtcdCluster(directory, 1);
        HostRegistry first = HostRegistry.open(cluster.config(), "hv1", document::get, TTL)) {
      HostRegistry second = HostRegistry.open(cluster.config(), "hv2", () -> "{}", TTL);
      awaitList(first, Map.of("hv1", "{\"free\":1}", "hv2", "{}"));

      second.close();
      document.set("{\"free\":2}");
      awaitList(first, Map.of("hv1", "{\"free\":2}"));

      // What etcd knew is lost; the host is not.
      cluster.member(0).kill();
      cluster.member(0).forget();
      cluster.member(0).start();
      awaitList(first, Map.of("hv1", "{\"free\":2}"));
    }
  }

  private static void awaitList(HostRegistry registry, Map<String, String> hosts) {
    await()
        .atMost(PATIENCE)
        .ignoreExceptions()
        .untilAsserted(() -> assertThat(registry.list()).isEqualTo(hosts));
  }
}
