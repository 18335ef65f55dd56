package io.remus.agent.conductor;

import io.remus.agent.guest.GuestException;
import io.remus.agent.term.VmRecord;
import io.remus.agent.term.Wish;
import io.remus.core.control.EventRecord.Level;
import io.remus.core.epoch.Term;
import io.remus.core.failover.Role;
import java.io.IOException;

/**
 * What this host keeps on disk of a VM that it protects. While it does, nobody but the agent starts
 * the VM: libvirt's autostart is taken over and given back.
 */
final class PrimaryRecord {
  private final Surroundings around;
  private final String uuid;
  private final String vm;
  private final Wish wish;
  private boolean wantedBefore;
  private volatile boolean unwanted;
  private boolean stopped;

  PrimaryRecord(Surroundings around, String uuid, String vm, Wish wish) {
    this.around = around;
    this.uuid = uuid;
    this.vm = vm;
    this.wish = wish;
  }

  /** The admin does not want the VM protected any more, not even after a restart of the agent. */
  void unwanted() {
    unwanted = true;
  }

  /**
   * Notes that a switchover is about to stop the guest, so that whoever finds it stopped knows why.
   *
   * @throws IOException when it is not on disk
   */
  void noteStop(Role role, Term term) throws IOException {
    stopped = true;
    save(role, term, true);
  }

  /** The guest runs again, or is gone: so says what is written from now on. */
  void forgetStop() {
    stopped = false;
  }

  /**
   * Writes role and term.
   *
   * @param wasProtected the wish was granted once: what was refused is not tried again behind the
   *     admin's back
   * @throws IOException when it is not on disk
   */
  void save(Role role, Term term, boolean wasProtected) throws IOException {
    VmRecord known = around.terms().find(uuid).orElse(null);
    boolean takenOver = known != null && known.role() == Role.PRIMARY && known.autostart();
    boolean autostart = takenOver || startsByItself();
    if (role == Role.PRIMARY) {
      wantedBefore = known != null && known.wanted();
    }
    boolean wanted =
        role == Role.PRIMARY || (role == Role.NONE && !unwanted && (wasProtected || wantedBefore));
    int queue = role == Role.PRIMARY ? around.queues().take(vm) : VmRecord.NO_QUEUE;
    around
        .terms()
        .save(new VmRecord(uuid, vm, term.number(), role, wish, queue, autostart, wanted, stopped));
    if (autostart) {
      startByItself(role == Role.NONE);
    }
  }

  private boolean startsByItself() {
    try {
      return around.hypervisor().autostart(uuid);
    } catch (GuestException e) {
      around.events().vm(Level.WARNING, vm, e.getMessage());
      return false;
    }
  }

  private void startByItself(boolean on) {
    try {
      around.hypervisor().autostart(uuid, on);
    } catch (GuestException e) {
      around.events().vm(Level.WARNING, vm, e.getMessage());
    }
  }
}
