package io.remus.agent.disk.replica;

import io.remus.core.wire.DiskImage;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The disks of a VM that are to be replicated here.
 *
 * @param uuid libvirt's UUID of the VM, 36 lower-case characters
 * @param vm libvirt's name of it
 * @param primary name of the host it runs on
 * @param disks in the order that disk records count them
 * @param devices existing block devices to keep a disk on, by its target
 * @param ownImages existing files, as large as their disk, that the VM ran from on this host, to
 *     keep a disk in; the others get an image file
 * @param xml what to define the VM with when it is to run from the images; kept as it is given
 */
public record ReplicaSpec(
    String uuid,
    String vm,
    String primary,
    List<DiskImage> disks,
    Map<String, Path> devices,
    Map<String, Path> ownImages,
    String xml) {
  private static final String UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";

  public ReplicaSpec {
    if (!uuid.matches(UUID)) {
      throw new IllegalArgumentException("not the UUID of a VM: " + uuid);
    }
    disks = List.copyOf(disks);
    devices = Map.copyOf(devices);
    ownImages = Map.copyOf(ownImages);
    if (disks.stream().map(DiskImage::target).distinct().count() != disks.size()) {
      throw new IllegalArgumentException("VM " + vm + " has two disks with one target");
    }
    for (DiskImage disk : disks) {
      if (!disk.target().matches("[A-Za-z0-9_-]+")) {
        throw new IllegalArgumentException(
            "disk target %s of VM %s cannot name a file".formatted(disk.target(), vm));
      }
    }
  }

  /** Where a disk is to be kept, if not in a file that is made for it. */
  Optional<Path> place(String target) {
    return Optional.ofNullable(devices.getOrDefault(target, ownImages.get(target)));
  }
}
