package io.remus.agent.disk.replica;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/**
 * What is known of a VM's replica.
 *
 * @param uuid libvirt's UUID of the VM
 * @param vm libvirt's name of it
 * @param primary name of the host that it was replicated from
 * @param term term of the last committed epoch, or of the activation; 0 before the first
 * @param epoch last committed epoch that is known; while a replica is open, the one on disk is
 *     older
 * @param committedAt when it was committed on this host's clock; null before the first
 * @param xml what to define the VM with when it is to run from the images
 */
public record ReplicaInfo(
    String uuid,
    String vm,
    String primary,
    List<Disk> disks,
    ReplicaState state,
    long term,
    long epoch,
    Instant committedAt,
    String xml) {
  /**
   * A disk's image.
   *
   * @param target libvirt's name of the disk, such as {@code vda}
   * @param path image file or block device
   * @param bytes what the guest sees
   * @param allocatedBytes what it takes on its file system; -1 when that cannot be found out
   */
  public record Disk(String target, Path path, long bytes, long allocatedBytes) {}
}
