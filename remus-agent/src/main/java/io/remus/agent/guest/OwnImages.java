package io.remus.agent.guest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.libvirt.Connect;
import org.libvirt.Domain;
import org.libvirt.Domain.XMLFlags;
import org.libvirt.LibvirtException;

/** The image files that a VM which is defined on this host would run from, and no other VM. */
public final class OwnImages {
  /** What no other host writes. */
  private static final Set<String> LOCAL =
      Set.of("ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "tmpfs", "overlay");

  private OwnImages() {}

  /**
   * Those of a VM that are raw files on a file system of this host alone.
   *
   * @return by disk, such as {@code vda}; none when the VM is not defined here
   */
  public static Map<String, Path> of(Hypervisor hypervisor, String uuid) throws GuestException {
    try {
      Connect connect = hypervisor.connect();
      List<DomainDescription> others = new ArrayList<>();
      DomainDescription own = null;
      for (Domain domain : connect.listAllDomains(0)) {
        boolean persistent = domain.isPersistent() == 1;
        if (!domain.getUUIDString().equals(uuid)) {
          others.add(new DomainDescription(domain.getXMLDesc(0)));
          if (persistent) {
            others.add(new DomainDescription(domain.getXMLDesc(XMLFlags.INACTIVE)));
          }
        } else if (persistent) {
          own = new DomainDescription(domain.getXMLDesc(XMLFlags.INACTIVE));
        }
      }
      return own == null ? Map.of() : of(own, others);
    } catch (LibvirtException e) {
      throw new GuestException("cannot ask libvirt for the images of its VMs", e);
    }
  }

  static Map<String, Path> of(DomainDescription own, List<DomainDescription> others) {
    List<Path> taken = others.stream().flatMap(other -> other.diskFiles().stream()).toList();
    Map<String, Path> images = new HashMap<>();
    for (DiskDescription disk : own.writableDisks()) {
      Path file = disk.file();
      if (file != null
          && disk.format().equals("raw")
          && isLocal(file)
          && taken.stream().noneMatch(other -> isSame(file, other))) {
        images.put(disk.target(), file);
      }
    }
    return images;
  }

  private static boolean isLocal(Path file) {
    try {
      return Files.isRegularFile(file) && LOCAL.contains(Files.getFileStore(file).type());
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean isSame(Path file, Path other) {
    try {
      return file.equals(other) || Files.isSameFile(file, other);
    } catch (IOException e) {
      return false; // there is no such file
    }
  }
}
