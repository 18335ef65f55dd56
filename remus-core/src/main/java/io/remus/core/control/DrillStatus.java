package io.remus.core.control;

import java.time.Instant;

/**
 * A drill: a clone of a VM's standby, which runs where nobody but this host sees it.
 *
 * @param vm libvirt's name of the VM
 * @param state where the drill stands
 * @param reason why it is in this state; empty when the state says it all
 * @param since when the state was entered
 * @param percent how much of disks and memory is copied, 0 to 100
 * @param epoch the committed epoch that the clone runs on from; null before it is chosen
 * @param takenAt when that epoch was the last; null before it is chosen
 * @param domain libvirt's name of the clone
 * @param namespace network namespace that the clone's network is in (ip-netns(8))
 * @param address of this host in it; null for none
 * @param endsAt when the clone is removed at the latest; null before it runs
 */
public record DrillStatus(
    String vm,
    DrillState state,
    String reason,
    Instant since,
    double percent,
    Long epoch,
    Instant takenAt,
    String domain,
    String namespace,
    String address,
    Instant endsAt) {}
