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
  /** To look whether the peer is there costs nothing. */
  private static final Duration RETRY = Duration.ofSeconds(1);

  /** A peer that was there and refused will do so again; each time is in the event log. */
  private static final Duration LONGEST_RETRY = Duration.ofMinutes(1);

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
  void now(String uuid) {
    later(uuid, Duration.ZERO, Duration.ZERO);
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
    later(uuid, wait, Duration.ZERO);
  }

  /**
   * @param refusedWait how long was waited after the last refusal; zero before the first
   */
  private void later(String uuid, Duration wait, Duration refusedWait) {
    thread.schedule(() -> attempt(uuid, refusedWait), wait.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void attempt(String uuid, Duration refusedWait) {
    around
        .terms()
        .find(uuid)
        .filter(record -> record.wanted() && !conductor.isProtecting(record.vm()))
        .ifPresent(record -> protect(record, refusedWait));
  }

  private void protect(VmRecord record, Duration refusedWait) {
    try {
      conductor
          .protect(record.vm(), record.wish())
          .whenComplete(
              (status, failure) -> {
                if (failure != null) {
                  notYet(record, longer(refusedWait), refusedWait, Causes.message(failure));
                }
              });
    } catch (RefusedException e) {
      if (e.isMissing()) {
        around
            .events()
            .vm(Level.ERROR, record.vm(), "cannot be protected again: " + e.getMessage());
      } else {
        notYet(record, RETRY, refusedWait, e.getMessage());
      }
    } catch (RuntimeException e) {
      // Whatever it was, the VM is still not protected.
      notYet(record, longer(refusedWait), refusedWait, Causes.message(e));
    }
  }

  private static Duration longer(Duration wait) {
    return LossBackoff.longer(wait, RETRY, LONGEST_RETRY);
  }

  private void notYet(VmRecord record, Duration wait, Duration refusedWait, String why) {
    if (refusedWait.isZero()) {
      around
          .events()
          .vm(Level.WARNING, record.vm(), "not protected again yet, will go on trying: " + why);
    }
    later(record.uuid(), wait, wait);
  }
}
