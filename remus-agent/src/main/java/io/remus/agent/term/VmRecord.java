package io.remus.agent.term;

import io.remus.core.failover.Role;

/**
 * What this host must not forget about a VM, whatever happens to it.
 *
 * @param uuid libvirt's UUID of the VM
 * @param vm libvirt's name of it
 * @param term newest term this host knows
 * @param role what this host is under that term
 * @param wish how protection was asked for, on either side
 * @param queue netfilter queue that the VM's rules send its output to; another VM must not get it
 * @param autostart libvirt would start the VM at boot if it were not protected
 * @param wanted the admin wants protection: an agent that starts again protects the VM again
 * @param stopped a switchover has stopped the guest, or is about to: it must run again here, or end
 */
public record VmRecord(
    String uuid,
    String vm,
    long term,
    Role role,
    Wish wish,
    int queue,
    boolean autostart,
    boolean wanted,
    boolean stopped) {

  /** No queue: this host has no rules for the VM. */
  public static final int NO_QUEUE = -1;

  /** Of a VM that no switchover has stopped. */
  public VmRecord(
      String uuid,
      String vm,
      long term,
      Role role,
      Wish wish,
      int queue,
      boolean autostart,
      boolean wanted) {
    this(uuid, vm, term, role, wish, queue, autostart, wanted, false);
  }

  /** The same VM, whose protection is not wanted any more. */
  public VmRecord unwanted() {
    return new VmRecord(uuid, vm, term, role, wish, queue, autostart, false, stopped);
  }
}
