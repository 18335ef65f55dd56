package io.remus.agent.arbiter;

import io.remus.agent.config.AgentConfig.Fence;
import io.remus.core.failover.ArbiterKind;
import io.remus.core.failover.Verdict;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Powers the other host off and believes its device that it is off. A backup waits a moment first:
 * where both live and lost each other, the primary is to win, for its guest need not move.
 */
public final class FenceArbiter implements Arbiter {
  private static final Logger LOG = LoggerFactory.getLogger(FenceArbiter.class);

  private final Map<String, FenceProgram> devices = new ConcurrentHashMap<>();
  private final Duration delay;
  private final ExecutorService threads;

  /** Hosts that are being powered off: several VMs may have lost the same one at once. */
  private final Map<String, CompletableFuture<Verdict>> underWay = new ConcurrentHashMap<>();

  /**
   * Knows the devices and does nothing yet.
   *
   * @param devices by host
   * @param delay before a backup powers a primary off
   */
  public FenceArbiter(Map<String, Fence> devices, Duration delay) {
    devices.forEach((host, fence) -> this.devices.put(host, new FenceProgram(fence)));
    this.delay = delay;
    this.threads =
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, "fence");
              thread.setDaemon(true);
              return thread;
            });
  }

  @Override
  public ArbiterKind kind() {
    return ArbiterKind.FENCE;
  }

  /** There is nothing to note: a host that is off has no standby. */
  @Override
  public CompletableFuture<Verdict> register(Pair pair) {
    return CompletableFuture.completedFuture(new Verdict.Granted());
  }

  @Override
  public CompletableFuture<Verdict> goAlone(Pair pair) {
    return fence(pair.standby());
  }

  @Override
  public CompletableFuture<Verdict> takeOver(Pair pair) {
    // On the timer's own thread, which only hands over: a pool that was shut down would say
    // nothing.
    Executor later =
        CompletableFuture.delayedExecutor(delay.toMillis(), TimeUnit.MILLISECONDS, Runnable::run);
    return CompletableFuture.supplyAsync(pair::primary, later).thenCompose(this::fence);
  }

  private CompletableFuture<Verdict> fence(String host) {
    CompletableFuture<Verdict> fresh = new CompletableFuture<>();
    CompletableFuture<Verdict> running = underWay.putIfAbsent(host, fresh);
    if (running != null) {
      return running;
    }
    try {
      threads.execute(
          () -> {
            Verdict verdict = powerOff(host);
            underWay.remove(host);
            fresh.complete(verdict);
          });
    } catch (RejectedExecutionException e) {
      underWay.remove(host);
      fresh.complete(unknown(host, "the agent stops"));
    }
    return fresh;
  }

  private Verdict powerOff(String host) {
    FenceProgram device = devices.get(host);
    if (device == null) {
      return unknown(host, "there is no [peers.%s.fence] in the configuration".formatted(host));
    }
    LOG.warn("powering {} off by its fence device", host);
    try {
      device.off();
      return device.status() == FenceProgram.Power.OFF
          ? new Verdict.Granted()
          : unknown(host, "its fence device was told to power it off and says that it is on");
    } catch (IOException e) {
      return unknown(host, e.getMessage());
    } catch (RuntimeException e) {
      LOG.error("fencing {} went wrong", host, e);
      return unknown(host, e.toString());
    }
  }

  /** Nothing but the device's word makes a grant, so that what was not said was not granted. */
  private static Verdict unknown(String host, String why) {
    return new Verdict.Unknown("%s may still have power: %s".formatted(host, why), false);
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
