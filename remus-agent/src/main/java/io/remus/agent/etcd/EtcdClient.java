package io.remus.agent.etcd;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remus.agent.config.AgentConfig;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What Remus needs of etcd, after etcd's API reference, version 3.4. Reads are linearizable. Every
 * call blocks until a member answers or its deadline is over, and may be made by any thread.
 */
public final class EtcdClient implements AutoCloseable {
  private final ExecutorService threads;
  private final EtcdGateway gateway;

  private EtcdClient(ExecutorService threads, EtcdGateway gateway) {
    this.threads = threads;
    this.gateway = gateway;
  }

  /**
   * Reads the TLS files and connects to nothing yet.
   *
   * @throws IOException naming the file that cannot be used
   */
  public static EtcdClient open(AgentConfig.Arbiter config) throws IOException {
    EtcdGateway gateway =
        new EtcdGateway(
            config.endpoints(), EtcdTls.load(config.ca(), config.certificate(), config.key()));
    AtomicInteger number = new AtomicInteger();
    ExecutorService threads =
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, "etcd-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    return new EtcdClient(threads, gateway);
  }

  /** Where calls may wait: as many threads as there are calls. */
  public ExecutorService threads() {
    return threads;
  }

  /** The newest value of a key. */
  public Entry read(String key, Deadline deadline) throws EtcdException {
    return first(key, gateway.ask("kv/range", keyed(key), deadline));
  }

  /** All keys that begin so, in their order. */
  public List<Entry> list(String prefix, Deadline deadline) throws EtcdException {
    ObjectNode question = keyed(prefix).put("range_end", encode(behind(prefix)));
    return entries(gateway.ask("kv/range", question, deadline));
  }

  /**
   * Writes a key unless somebody else has written it since it was read.
   *
   * @param read what was read; a missing key is made
   * @return nothing when the value is there now; otherwise what is there in its place, which may be
   *     this value when an answer was lost on its way
   */
  public Optional<Entry> swap(Entry read, String value, Deadline deadline) throws EtcdException {
    String key = read.key();
    ObjectNode question = EtcdGateway.object();
    question
        .putArray("compare")
        .add(
            keyed(key)
                .put("target", "MOD")
                .put("result", "EQUAL")
                .put("mod_revision", Long.toString(read.revision())));
    question.putArray("success").addObject().set("request_put", valued(key, value));
    question.putArray("failure").addObject().set("request_range", keyed(key));
    JsonNode answer = gateway.ask("kv/txn", question, deadline);
    return answer.path("succeeded").asBoolean()
        ? Optional.empty()
        : Optional.of(first(key, answer.path("responses").path(0).path("response_range")));
  }

  /** Writes a key that goes when the lease ends. */
  public void write(String key, String value, long lease, Deadline deadline) throws EtcdException {
    gateway.ask("kv/put", valued(key, value).put("lease", Long.toString(lease)), deadline);
  }

  /** Begins a lease that ends when it is not kept for a whole TTL. */
  public long grantLease(Duration ttl, Deadline deadline) throws EtcdException {
    ObjectNode question = EtcdGateway.object().put("TTL", Long.toString(ttl.toSeconds()));
    return gateway.ask("lease/grant", question, deadline).path("ID").asLong();
  }

  /** Lets a lease begin its TTL anew; false when it has ended. */
  public boolean keepLease(long lease, Deadline deadline) throws EtcdException {
    ObjectNode question = EtcdGateway.object().put("ID", Long.toString(lease));
    return gateway.ask("lease/keepalive", question, deadline).path("result").path("TTL").asLong()
        > 0;
  }

  /** Where the members are, as configured. */
  public List<URI> endpoints() {
    return gateway.endpoints();
  }

  /** Version of one member, for a look at it. */
  public String version(URI endpoint) throws EtcdException {
    return gateway
        .ask(endpoint, "maintenance/status", EtcdGateway.object(), EtcdGateway.LIMIT)
        .path("version")
        .asText();
  }

  /** Interrupts whoever still waits. */
  @Override
  public void close() {
    threads.shutdownNow();
  }

  private static Entry first(String key, JsonNode range) {
    return entries(range).stream().findFirst().orElse(Entry.missing(key));
  }

  private static List<Entry> entries(JsonNode range) {
    List<Entry> entries = new ArrayList<>();
    for (JsonNode entry : range.path("kvs")) {
      entries.add(
          new Entry(
              decode(entry.path("key").asText()),
              decode(entry.path("value").asText()),
              entry.path("mod_revision").asLong()));
    }
    return entries;
  }

  private static ObjectNode keyed(String key) {
    return EtcdGateway.object().put("key", encode(key));
  }

  private static ObjectNode valued(String key, String value) {
    return keyed(key).put("value", encode(value));
  }

  /** The first key behind all that begin with a prefix whose last character is ASCII. */
  private static String behind(String prefix) {
    int last = prefix.length() - 1;
    return prefix.substring(0, last) + (char) (prefix.charAt(last) + 1);
  }

  private static String encode(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String decode(String text) {
    return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8);
  }
}
