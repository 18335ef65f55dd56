package io.remus.agent.hosts;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.remus.agent.config.AgentConfig;
import io.remus.agent.etcd.EtcdException;
import io.remus.core.control.ControlJson;
import io.remus.core.control.HostInfo;
import io.remus.core.failover.ArbiterKind;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This host and its peers. With etcd as arbiter each tells of itself there; otherwise nothing is
 * known of peers but their names.
 */
public final class Hosts implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Hosts.class);

  private final AgentConfig config;
  private final Supplier<HostInfo> self;
  private final HostRegistry registry;

  private Hosts(AgentConfig config, Supplier<HostInfo> self, HostRegistry registry) {
    this.config = config;
    this.self = self;
    this.registry = registry;
  }

  /**
   * Begins to tell of this host, where there is etcd.
   *
   * @param self what there is to tell; asked every few seconds, on a thread of its own
   * @throws IOException naming the TLS file that cannot be used
   */
  public static Hosts open(AgentConfig config, Supplier<HostInfo> self) throws IOException {
    HostRegistry registry =
        config.arbiter().kind() == ArbiterKind.ETCD
            ? HostRegistry.open(config.arbiter(), config.host(), () -> ControlJson.line(self.get()))
            : null;
    return new Hosts(config, self, registry);
  }

  /** This host as it is now. */
  public HostInfo self() {
    return self.get();
  }

  /**
   * This host and every peer of the configuration, by name. Waits some seconds for an etcd that
   * does not answer.
   */
  public List<HostInfo> list() {
    Map<String, HostInfo> hosts = new TreeMap<>();
    config.peers().keySet().forEach(name -> hosts.put(name, HostInfo.unregistered(name)));
    told().forEach((name, document) -> hosts.computeIfPresent(name, (n, u) -> read(n, document)));
    hosts.put(config.host(), self.get());
    return List.copyOf(hosts.values());
  }

  private Map<String, String> told() {
    if (registry == null) {
      return Map.of();
    }
    try {
      return registry.list();
    } catch (EtcdException e) {
      LOG.warn("the other hosts are not known: {}", e.getMessage());
      return Map.of();
    }
  }

  private static HostInfo read(String name, String document) {
    try {
      HostInfo info = ControlJson.replies().readValue(document, HostInfo.class);
      return name.equals(info.host()) ? info : HostInfo.unregistered(name);
    } catch (JsonProcessingException e) {
      LOG.warn("what etcd says of host {} makes no sense: {}", name, e.getOriginalMessage());
      return HostInfo.unregistered(name);
    }
  }

  /** Whether peers tell of themselves at all. */
  public boolean areTold() {
    return registry != null;
  }

  @Override
  public void close() {
    if (registry != null) {
      registry.close();
    }
  }
}
