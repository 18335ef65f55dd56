package io.remus.agent.arbiter;

import io.remus.core.failover.ArbiterKind;
import io.remus.core.failover.Verdict;
import java.util.concurrent.CompletableFuture;

/** Grants everything: whoever hears nothing of the other host on any path goes on. */
public final class NoArbiter implements Arbiter {
  @Override
  public ArbiterKind kind() {
    return ArbiterKind.NONE;
  }

  @Override
  public CompletableFuture<Verdict> register(Pair pair) {
    return granted();
  }

  @Override
  public CompletableFuture<Verdict> goAlone(Pair pair) {
    return granted();
  }

  @Override
  public CompletableFuture<Verdict> takeOver(Pair pair) {
    return granted();
  }

  private static CompletableFuture<Verdict> granted() {
    return CompletableFuture.completedFuture(new Verdict.Granted());
  }

  @Override
  public void close() {
    // Nothing is open.
  }
}
