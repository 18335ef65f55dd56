package io.remus.agent.conductor;

import io.remus.agent.config.AgentConfig.Reprotect;
import io.remus.agent.control.RefusedException;
import io.remus.agent.term.VmRecord;
import io.remus.core.control.EventRecord.Level;
import io.remus.core.failover.LossBackoff;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Protects again what is wanted to be protected and is not: after a restart of the agent, after the
 * loss of a backup, and in the other direction after a failover. It goes on trying until the VM is
 * protected or nobody wants that any more. Its thread is its own, for it waits for libvirt and for
 * the peer.
 */
final class Reprotection {
  private static final Duration RETRY = Duration.ofSeconds(5);

  private final Surroundings around;
  private final Conductor conductor;
  private final ScheduledExecutorService thread;
  private final Map<String, LossBackoff> losses = new ConcurrentHashMap<>();

  Reprotection(Surroundings around, Conductor conductor, ScheduledExecutorService thread) {
    this.around = around;
    this.conductor = conductor;
    this.thread = thread;
  }

  /** At once. */
  void now(VmRecord record) {
    later(record, Duration.ZERO, true);
  }

  /**
   * A protection has ended that nobody wanted to end, or this host has taken the VM over: at once,
   * and ever later when that happens again and again.
   */
  void afterLoss(String uuid) {
    if (around.config().failover().reprotect() == Reprotect.MANUAL) {
      return;
    }
    LossBackoff backoff = losses.computeIfAbsent(uuid, id -> new LossBackoff());
    Duration wait;
    synchronized (backoff) {
      wait = backoff.lost(System.nanoTime());
    }
    around
        .terms()
        .find(uuid)
        .filter(VmRecord::wanted)
        .ifPresent(record -> later(record, wait, true));
  }

  private void later(VmRecord record, Duration delay, boolean first) {
    thread.schedule(() -> attempt(record, first), delay.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void attempt(VmRecord record, boolean first) {
    boolean wanted = around.terms().find(record.uuid()).map(VmRecord::wanted).orElse(false);
    if (!wanted || conductor.isProtecting(record.vm())) {
      return;
    }
    try {
      conductor
          .protect(record.vm(), record.wish())
          .whenComplete(
              (status, failure) -> {
                if (failure != null) {
                  notYet(record, first, Causes.message(failure));
                }
              });
    } catch (RefusedException e) {
      if (e.isMissing()) {
        around
            .events()
            .vm(Level.ERROR, record.vm(), "cannot be protected again: " + e.getMessage());
      } else {
        notYet(record, first, e.getMessage());
      }
    }
  }

  private void notYet(VmRecord record, boolean first, String why) {
    if (first) {
      around
          .events()
          .vm(Level.WARNING, record.vm(), "not protected again yet, will go on trying: " + why);
    }
    later(record, RETRY, false);
  }
}
