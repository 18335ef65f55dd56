package io.remus.agent.arbiter;

import io.remus.core.failover.ArbiterKind;
import io.remus.core.failover.Verdict;
import java.util.concurrent.CompletableFuture;

/**
 * Decides which of two hosts that have lost each other may show its copy of a VM. Never asked for
 * an epoch: as long as the backup acks, its acks are all the permission the primary needs.
 *
 * <p>Both questions are exclusive for a pair: once one host was granted its own, the other host is
 * never granted the other one. An answer that got lost is given again to whoever asks again. No
 * future fails; each completes on any thread, with etcd within about 2 s, with a fence device
 * within about 2 minutes.
 */
public interface Arbiter extends AutoCloseable {
  /** Which kind this is. */
  ArbiterKind kind();

  /**
   * Makes a pair known before its standby can be activated.
   *
   * @return granted; denied when this term, or a newer one, is known of another pair
   */
  CompletableFuture<Verdict> register(Pair pair);

  /**
   * The primary of a pair wants to show its output without its standby.
   *
   * @return granted when the standby will never be activated; denied when it was
   */
  CompletableFuture<Verdict> goAlone(Pair pair);

  /**
   * The backup of a pair wants to run the VM under the next term.
   *
   * @return granted when the primary will never show output again; denied when the primary went on
   *     alone, or with another standby
   */
  CompletableFuture<Verdict> takeOver(Pair pair);

  @Override
  void close();
}
