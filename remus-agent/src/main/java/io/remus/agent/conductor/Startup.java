package io.remus.agent.conductor;

import io.remus.agent.disk.replica.Replicas;
import io.remus.agent.guest.GuestException;
import io.remus.agent.nativeio.NativeException;
import io.remus.agent.nativeio.PlugRules;
import io.remus.agent.term.VmRecord;
import io.remus.core.control.EventRecord.Level;
import io.remus.core.control.VmState;
import io.remus.core.epoch.Term;
import io.remus.core.failover.Role;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What an agent finds when it starts: VMs that an earlier one protected, standbys that nobody feeds
 * any more, rules that nobody needs. Everything stays fenced until it is known to be harmless.
 */
final class Startup {
  private final Surroundings around;
  private final Conductor conductor;
  private final Reprotection reprotection;

  Startup(Surroundings around, Conductor conductor, Reprotection reprotection) {
    this.around = around;
    this.conductor = conductor;
    this.reprotection = reprotection;
  }

  /** Sorts it all out. Before peers can connect. */
  void run() throws GuestException, IOException {
    List<VmRecord> records = around.terms().all();
    records.stream()
        .filter(r -> r.queue() != VmRecord.NO_QUEUE)
        .forEach(r -> around.queues().reserve(r.vm(), r.queue()));
    Set<String> ruled = new HashSet<>(PlugRules.owners());
    for (VmRecord record : records) {
      switch (record.role()) {
        case PRIMARY -> {
          ruled.remove(record.vm());
          resumeStopped(record);
          resume(record);
        }
        case STANDBY -> voidStandby(record);
        case SUPERSEDED -> {
          if (ruled.contains(record.vm()) || isStopped(record)) {
            destroyStale(record);
          }
        }
        case NONE -> {
          resumeStopped(record);
          if (record.wanted()) {
            reprotection.now(record.uuid());
          }
        }
        case ACTIVE -> {
          checkActive(record);
          reprotection.afterLoss(record.uuid());
        }
      }
    }
    for (String stale : ruled) {
      around.events().vm(Level.WARNING, stale, "removing output rules that an earlier agent left");
      PlugRules.remove(stale);
      around.queues().giveBack(stale);
    }
    recoverReplicas();
  }

  /**
   * An agent that died, or a host, left writes in the journals: the images get them now, or never.
   */
  private void recoverReplicas() {
    try {
      Replicas.recover(around.config().disks().directory()).forEach(this::recovered);
    } catch (IOException | RuntimeException e) {
      around.events().host(Level.ERROR, "disk replicas cannot be looked at: " + e.getMessage());
    }
  }

  private void recovered(Replicas.Recovered found) {
    if (found.problem() != null) {
      around
          .events()
          .host(Level.ERROR, "a disk replica is of no use: " + found.problem().getMessage());
      return;
    }
    around.replicas().put(found.info());
    if (found.epochs() > 0) {
      around
          .events()
          .vm(
              Level.INFO,
              found.info().vm(),
              "its disk replica is at epoch %d of term %d; %d epochs came from the journal"
                  .formatted(found.info().epoch(), found.info().term(), found.epochs()));
    }
  }

  /** The earlier agent died in a switchover before it had handed the guest over. */
  private void resumeStopped(VmRecord record) throws GuestException {
    if (isStopped(record)) {
      around.hypervisor().resume(record.uuid(), record.vm());
      around
          .events()
          .vm(Level.WARNING, record.vm(), "runs again; an earlier agent died while it moved it");
    }
  }

  private boolean isStopped(VmRecord record) throws GuestException {
    return record.stopped() && around.hypervisor().isStopped(record.uuid(), record.vm());
  }

  private void resume(VmRecord record) {
    if (!around.config().peers().containsKey(record.wish().peer())) {
      around
          .events()
          .vm(
              Level.ERROR,
              record.vm(),
              "its peer %s is not in the configuration any more; its output stays held"
                  .formatted(record.wish().peer()));
      return;
    }
    conductor.resume(record);
    conductor
        .fate(record.vm())
        .thenAccept(
            state -> {
              if (state == VmState.UNPROTECTED && record.wanted()) {
                reprotection.now(record.uuid());
              }
            });
  }

  /** Its RAM may be torn: the agent that wrote it is gone. */
  private void voidStandby(VmRecord record) throws GuestException, IOException {
    if (around.hypervisor().waits(record.uuid(), record.vm())) {
      around.hypervisor().destroy(record.uuid());
      around
          .events()
          .vm(Level.WARNING, record.vm(), "destroyed the standby that an earlier agent left");
    }
    around
        .terms()
        .save(
            new VmRecord(
                record.uuid(),
                record.vm(),
                record.term(),
                Role.NONE,
                record.wish(),
                VmRecord.NO_QUEUE,
                false,
                false));
  }

  private void checkActive(VmRecord record) throws GuestException {
    if (around.hypervisor().waits(record.uuid(), record.vm())) {
      around
          .events()
          .vm(
              Level.ERROR,
              record.vm(),
              "an earlier agent died while it activated the standby; the guest is lost unless %s still runs it"
                  .formatted(record.wish().peer()));
    }
  }

  /** The earlier agent died between the hand-over and the end of its copy. */
  private void destroyStale(VmRecord record) throws GuestException, NativeException {
    around.hypervisor().destroy(record.uuid());
    around
        .events()
        .vm(
            Level.WARNING,
            record.vm(),
            "destroyed the stale copy; term %s runs on %s"
                .formatted(new Term(record.term()), record.wish().peer()));
    PlugRules.remove(record.vm());
    around.queues().giveBack(record.vm());
  }
}
