package io.remus.agent.arbiter;

import io.remus.agent.etcd.Deadline;
import io.remus.agent.etcd.Entry;
import io.remus.agent.etcd.EtcdClient;
import io.remus.agent.etcd.EtcdException;
import io.remus.core.failover.ArbiterKind;
import io.remus.core.failover.Verdict;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A record for each VM in etcd, {@code /remus/vms/UUID}, which is changed by compare-and-swap only:
 * of two hosts that want to change the same record one does, and the other one reads that it did.
 * There is no lease and no clock in it; a host that was asleep finds what was decided meanwhile.
 */
public final class EtcdArbiter implements Arbiter {
  private static final Logger LOG = LoggerFactory.getLogger(EtcdArbiter.class);
  private static final String FOLDER = "/remus/vms/";

  private final EtcdClient etcd;

  /**
   * Begins to use a client.
   *
   * @param etcd closed with the arbiter
   */
  public EtcdArbiter(EtcdClient etcd) {
    this.etcd = etcd;
    // The first exchange loads classes for some 100 ms; that must not fall into a failover.
    etcd.threads().execute(this::warmUp);
  }

  private void warmUp() {
    try {
      etcd.read(FOLDER, Deadline.ofQuestion());
    } catch (EtcdException e) {
      if (!Thread.currentThread().isInterrupted()) {
        LOG.warn("etcd does not answer: {}; see `remus doctor`", e.getMessage());
      }
    }
  }

  @Override
  public ArbiterKind kind() {
    return ArbiterKind.ETCD;
  }

  @Override
  public CompletableFuture<Verdict> register(Pair pair) {
    return decide(pair, known -> Ruling.onRegister(pair, known));
  }

  @Override
  public CompletableFuture<Verdict> goAlone(Pair pair) {
    return decide(pair, known -> Ruling.onGoAlone(pair, known));
  }

  @Override
  public CompletableFuture<Verdict> takeOver(Pair pair) {
    return decide(pair, known -> Ruling.onTakeOver(pair, known));
  }

  private CompletableFuture<Verdict> decide(
      Pair pair, Function<Optional<Ownership>, Ruling> rules) {
    try {
      return CompletableFuture.supplyAsync(
              () -> decide(FOLDER + pair.uuid(), rules), etcd.threads())
          .exceptionally(bug -> broken(pair, bug));
    } catch (RejectedExecutionException e) {
      return CompletableFuture.completedFuture(
          new Verdict.Unknown("etcd was not asked: the agent stops", false));
    }
  }

  private Verdict decide(String key, Function<Optional<Ownership>, Ruling> rules) {
    Deadline deadline = Deadline.ofQuestion();
    boolean changing = false;
    try {
      Entry entry = etcd.read(key, deadline);
      while (true) {
        Ruling ruling = rules.apply(ownership(entry));
        if (ruling instanceof Ruling.Answer answer) {
          return answer.verdict();
        }
        changing = true;
        String next = ((Ruling.Change) ruling).next().json();
        Optional<Entry> other = etcd.swap(entry, next, deadline);
        if (other.isEmpty()) {
          return new Verdict.Granted();
        }
        // Somebody was faster, or the answer to our own change was lost: the rules know which.
        entry = other.get();
      }
    } catch (EtcdException e) {
      return new Verdict.Unknown(
          "etcd gives no answer: " + e.getMessage(), changing && e.mayHaveTakenEffect());
    } catch (IllegalArgumentException e) {
      return new Verdict.Unknown(
          "etcd holds no record of a VM under the key %s: %s; look at it with `etcdctl get`, delete it and protect the VM again"
              .formatted(key, e.getMessage()),
          false);
    }
  }

  private static Verdict broken(Pair pair, Throwable bug) {
    LOG.error("a question to etcd about VM {} went wrong", pair.vm(), bug);
    return new Verdict.Unknown("etcd was asked and this host failed: " + bug.getMessage(), true);
  }

  private static Optional<Ownership> ownership(Entry entry) {
    return entry.isMissing() ? Optional.empty() : Optional.of(Ownership.parse(entry.value()));
  }

  @Override
  public void close() {
    etcd.close();
  }
}
