package io.remus.agent.hosts;

import io.remus.agent.config.AgentConfig;
import io.remus.agent.etcd.Deadline;
import io.remus.agent.etcd.Entry;
import io.remus.agent.etcd.EtcdClient;
import io.remus.agent.etcd.EtcdException;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells other hosts about this one: a document in etcd, {@code /remus/hosts/NAME}, under a lease
 * that is kept as long as the agent runs. A host that is lost is gone from the list 10 s later; one
 * that etcd has forgotten is there again as soon as etcd answers.
 */
public final class HostRegistry implements AutoCloseable {
  /** How long a host that says nothing is listed. */
  private static final Duration TTL = Duration.ofSeconds(10);

  private static final String FOLDER = "/remus/hosts/";
  private static final Logger LOG = LoggerFactory.getLogger(HostRegistry.class);

  private final EtcdClient etcd;
  private final String key;
  private final Supplier<String> document;
  private final Duration ttl;
  private final ScheduledExecutorService thread;

  // Only on the thread.
  private long lease;
  private String written;
  private boolean away;

  private HostRegistry(EtcdClient etcd, String name, Supplier<String> document, Duration ttl) {
    this.etcd = etcd;
    this.key = FOLDER + name;
    this.document = document;
    this.ttl = ttl;
    this.thread =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread made = new Thread(task, "host-registry");
              made.setDaemon(true);
              return made;
            });
  }

  /**
   * Registers a host, at once when etcd answers and otherwise later.
   *
   * @param name the host's
   * @param document JSON; asked every 3 s on a thread of its own, and written when it has changed
   * @throws IOException naming the TLS file that cannot be used
   */
  public static HostRegistry open(
      AgentConfig.Arbiter config, String name, Supplier<String> document) throws IOException {
    return open(config, name, document, TTL);
  }

  static HostRegistry open(
      AgentConfig.Arbiter config, String name, Supplier<String> document, Duration ttl)
      throws IOException {
    HostRegistry registry = new HostRegistry(EtcdClient.open(config), name, document, ttl);
    registry.thread.scheduleWithFixedDelay(
        registry::keep, 0, ttl.toMillis() * 3 / 10, TimeUnit.MILLISECONDS);
    return registry;
  }

  /**
   * The documents of all hosts that are registered, by name, as their agents wrote them.
   *
   * @throws EtcdException when no member answers within about 2 s
   */
  public Map<String, String> list() throws EtcdException {
    Map<String, String> hosts = new TreeMap<>();
    for (Entry entry : etcd.list(FOLDER, Deadline.ofQuestion())) {
      hosts.put(entry.key().substring(FOLDER.length()), entry.value());
    }
    return hosts;
  }

  private void keep() {
    try {
      register(document.get());
      if (away) {
        LOG.info("etcd answers again, this host is registered");
      }
      away = false;
    } catch (EtcdException e) {
      if (!away && !thread.isShutdown()) {
        LOG.warn("this host cannot be registered in etcd: {}", e.getMessage());
      }
      away = true;
    } catch (RuntimeException e) {
      // The executor would not call again.
      LOG.error("this host cannot be registered in etcd", e);
    }
  }

  private void register(String text) throws EtcdException {
    Deadline deadline = Deadline.ofQuestion();
    if (lease == 0 || !etcd.keepLease(lease, deadline)) {
      lease = etcd.grantLease(ttl, deadline);
      written = null;
    }
    if (!text.equals(written)) {
      etcd.write(key, text, lease, deadline);
      written = text;
    }
  }

  /** Keeps the lease no longer; the host is listed until it ends. */
  @Override
  public void close() {
    thread.shutdownNow();
    etcd.close();
  }
}
