package io.remus.agent.arbiter;

import io.remus.agent.config.AgentConfig;
import io.remus.agent.config.AgentConfig.Fence;
import io.remus.agent.config.AgentConfig.Peer;
import io.remus.agent.etcd.EtcdClient;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;

/** Makes the arbiter that the configuration asks for. */
public final class Arbiters {
  private Arbiters() {}

  /**
   * Waits for nobody: an arbiter that cannot be reached shows when it is asked.
   *
   * @throws IOException naming the TLS file that cannot be used
   */
  public static Arbiter open(AgentConfig config) throws IOException {
    return switch (config.arbiter().kind()) {
      case NONE -> new NoArbiter();
      case ETCD -> new EtcdArbiter(EtcdClient.open(config.arbiter()));
      case FENCE -> new FenceArbiter(devices(config), config.arbiter().delay());
    };
  }

  private static Map<String, Fence> devices(AgentConfig config) {
    Map<String, Fence> devices = new TreeMap<>();
    for (Peer peer : config.peers().values()) {
      peer.fence().ifPresent(fence -> devices.put(peer.name(), fence));
    }
    return devices;
  }
}
