package io.remus.core.control;

/**
 * A VM was moved to its backup in order. Times are of the primary's clock, milliseconds, one after
 * the other, and add up to the time in which the guest ran nowhere.
 *
 * @param vm libvirt's name of the VM
 * @param host where it runs now
 * @param term under which it runs there
 * @param epoch the last one, with which the guest stopped
 * @param stopMs from the guest's stop to the end of its capture
 * @param ackMs from there to the backup's ack
 * @param handOverMs from there until the newer term was on disk and the backup was told
 * @param activateMs from there until the backup's word that the guest runs
 * @param outageMs all of these
 */
public record Switchover(
    String vm,
    String host,
    long term,
    long epoch,
    double stopMs,
    double ackMs,
    double handOverMs,
    double activateMs,
    double outageMs) {}
