package io.remus.agent.drill;

import io.remus.agent.guest.Hypervisor;
import io.remus.agent.status.EventLog;
import java.nio.file.Path;

/**
 * What all drills of a host share.
 *
 * @param records directory of the notes about what drills have made
 * @param disks directory of all replicas, whose file system the copies of disks are on
 * @param roomBytes of that file system, which a drill leaves free: replicas need them
 */
public record DrillHost(
    Hypervisor hypervisor, EventLog events, Path records, Path disks, long roomBytes) {}
