package io.remus.core.wire;

/**
 * One writable disk of a VM, whose writes travel with their epoch.
 *
 * @param target libvirt's name of it in the VM, such as {@code vda}
 * @param bytes what the guest sees of it, at least 1
 */
public record DiskImage(String target, long bytes) {

  public DiskImage {
    Check.name("disk", target);
    Check.atLeast(1, bytes, "size of disk " + target);
  }
}
