package io.remus.agent.conductor;

import io.remus.agent.config.AgentConfig.Reprotect;
import io.remus.agent.control.RefusedException;
import io.remus.agent.term.VmRecord;
import io.remus.agent.term.Wish;
import io.remus.core.control.EventRecord.Level;
import io.remus.core.failover.LossBackoff;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

  /** In this time a host that handed a VM over destroys its copy. */
  private static final Duration LET_GO = Duration.ofSeconds(1);

  /** A peer that was there and refused will do so again; each time is in the event log. */
  private static final Duration LONGEST_RETRY = Duration.ofMinutes(1);

  /** Who plugs in one thing often plugs in another. */
  private static final Duration SETTLING = Duration.ofSeconds(1);

  private final Surroundings around;
  private final Conductor conductor;
  private final BackupFinder finder;
  private final ScheduledExecutorService thread;
  private final Map<String, LossBackoff> losses = new ConcurrentHashMap<>();

  Reprotection(
      Surroundings around,
      Conductor conductor,
      BackupFinder finder,
      ScheduledExecutorService thread) {
    this.around = around;
    this.conductor = conductor;
    this.finder = finder;
    this.thread = thread;
  }

  /** At once, with the same host first. */
  void now(String uuid) {
    later(uuid, false, Duration.ZERO, Duration.ZERO);
  }

  /**
   * A protection has ended that nobody wanted to end, or this host has taken the VM over: at once,
   * with a spare first, and ever later when that happens again and again.
   */
  void afterLoss(String uuid) {
    if (around.config().failover().reprotect() == Reprotect.AUTO) {
      soon(uuid, true, Duration.ZERO);
    }
  }

  /**
   * The standby did not fit the guest any more: the same, whatever is configured for losses, for
   * nothing was lost and nobody asked for the end.
   */
  void afterChange(String uuid) {
    soon(uuid, false, SETTLING);
  }

  private void soon(String uuid, boolean lost, Duration atLeast) {
    LossBackoff backoff = losses.computeIfAbsent(uuid, id -> new LossBackoff());
    Duration wait;
    synchronized (backoff) {
      wait = backoff.lost(System.nanoTime());
    }
    if (!wait.isZero()) {
      tellOfWait(uuid, wait);
    }
    later(uuid, lost, wait.compareTo(atLeast) > 0 ? wait : atLeast, Duration.ZERO);
  }

  /** A VM was handed over to this host: as soon as the old one has let its copy go. */
  void afterMove(String uuid) {
    if (around.config().failover().reprotect() == Reprotect.AUTO) {
      later(uuid, false, LET_GO, Duration.ZERO);
    }
  }

  private void tellOfWait(String uuid, Duration wait) {
    around
        .terms()
        .find(uuid)
        .filter(VmRecord::wanted)
        .ifPresent(
            record ->
                around
                    .events()
                    .vm(
                        Level.WARNING,
                        record.vm(),
                        "protection was lost again so soon that the next attempt is made in %d s; 'remus protect %s --backup %s' makes it now"
                            .formatted(wait.toSeconds(), record.vm(), record.wish().peer())));
  }

  /**
   * @param lost the other host was lost
   * @param refusedWait how long was waited after the last refusal; zero before the first
   */
  private void later(String uuid, boolean lost, Duration wait, Duration refusedWait) {
    thread.schedule(() -> attempt(uuid, lost, refusedWait), wait.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void attempt(String uuid, boolean lost, Duration refusedWait) {
    around
        .terms()
        .find(uuid)
        .filter(record -> record.wanted() && !conductor.isProtecting(record.vm()))
        .ifPresent(record -> new Attempt(record, lost, refusedWait).next());
  }

  /** Tries one host after the other; the first that takes the VM is it. */
  private final class Attempt {
    private final VmRecord record;
    private final Wish wish;
    private final Duration refusedWait;
    private final Deque<String> hosts;
    private final List<String> problems = new ArrayList<>();
    private Duration wait = RETRY;

    Attempt(VmRecord record, boolean lost, Duration refusedWait) {
      this.record = record;
      this.wish = lost ? record.wish().afterLoss() : record.wish();
      this.refusedWait = refusedWait;
      this.hosts = new ArrayDeque<>(named());
    }

    private Set<String> named() {
      try {
        return finder.hosts(record.vm(), wish);
      } catch (RefusedException e) {
        problems.add(e.getMessage());
        return Set.of();
      }
    }

    void next() {
      if (hosts.isEmpty()) {
        notYet();
        return;
      }
      String host = hosts.remove();
      try {
        conductor
            .protect(record.vm(), wish.with(host))
            .whenComplete(
                (status, failure) -> {
                  if (failure != null) {
                    // A peer that was there and refused will do so again.
                    wait = longer(refusedWait);
                    failed(failure);
                  }
                });
      } catch (RefusedException e) {
        if (e.isMissing() && hosts.isEmpty() && problems.isEmpty()) {
          around
              .events()
              .vm(Level.ERROR, record.vm(), "cannot be protected again: " + e.getMessage());
        } else {
          failed(e);
        }
      } catch (RuntimeException e) {
        // Whatever it was, the VM is still not protected.
        wait = longer(refusedWait);
        failed(e);
      }
    }

    private void failed(Throwable failure) {
      problems.add(Causes.message(failure));
      thread.execute(this::next);
    }

    private void notYet() {
      if (refusedWait.isZero()) {
        around
            .events()
            .vm(
                Level.WARNING,
                record.vm(),
                "not protected again yet, will go on trying: " + String.join("; ", problems));
      }
      later(record.uuid(), false, wait, wait);
    }
  }

  private static Duration longer(Duration wait) {
    return LossBackoff.longer(wait, RETRY, LONGEST_RETRY);
  }
}
