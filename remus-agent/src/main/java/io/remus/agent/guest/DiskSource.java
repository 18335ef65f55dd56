package io.remus.agent.guest;

import java.nio.file.Path;

/**
 * What a replicated disk is on the guest's own host.
 *
 * @param target name in the VM, such as {@code vda}
 * @param bytes what the guest sees
 * @param raw file or device that holds just these bytes; null when none does
 * @param obstacle why there is none, in words; null when there is
 */
public record DiskSource(String target, long bytes, Path raw, String obstacle) {}
