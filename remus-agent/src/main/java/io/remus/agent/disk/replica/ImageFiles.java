package io.remus.agent.disk.replica;

import io.remus.agent.nativeio.Errno;
import io.remus.agent.nativeio.NativeException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Opens a replica's images to write, or says why they must not be written. */
final class ImageFiles {
  private ImageFiles() {}

  /**
   * @throws ReplicaException when one is missing, too small, another's, or used by someone else
   */
  static List<ImageFile> open(Storage storage, String vm, List<ReplicaRecord.Disk> disks)
      throws IOException {
    List<ImageFile> files = new ArrayList<>();
    try {
      Map<FileId, String> taken = new HashMap<>();
      for (ReplicaRecord.Disk disk : disks) {
        Path path = Path.of(disk.path());
        if (!storage.exists(path)) {
          throw new ReplicaException(
              vm, "the image %s of disk %s is missing".formatted(path, disk.target()));
        }
        String other = taken.putIfAbsent(storage.identify(path), disk.target());
        if (other != null) {
          throw new ReplicaException(
              vm, "disks %s and %s share %s".formatted(other, disk.target(), path));
        }
        files.add(open(storage, vm, path));
        refuseTooSmall(vm, disk, files.get(files.size() - 1).size());
      }
      return files;
    } catch (IOException | RuntimeException e) {
      for (ImageFile file : files) {
        file.close();
      }
      throw e;
    }
  }

  private static ImageFile open(Storage storage, String vm, Path path) throws IOException {
    refuseUsed(storage, vm, path);
    try {
      return storage.openImage(path, true);
    } catch (NativeException e) {
      if (e.errno() == Errno.EBUSY) {
        throw inUse(vm, path, "the kernel: it is mounted, or part of another device");
      }
      throw e;
    }
  }

  /**
   * @throws ReplicaException when someone else may change the image
   */
  static void refuseUsed(Storage storage, String vm, Path path) throws IOException {
    String user = storage.otherUser(path);
    if (user != null) {
      throw inUse(vm, path, user);
    }
  }

  private static ReplicaException inUse(String vm, Path path, String user) {
    return new ReplicaException(
        vm,
        "its image %s may be changed by someone else: in use by %s; end that use first"
            .formatted(path, user));
  }

  private static void refuseTooSmall(String vm, ReplicaRecord.Disk disk, long found)
      throws ReplicaException {
    if (found < disk.bytes()) {
      throw new ReplicaException(
          vm,
          "%s has %d bytes, too few for disk %s with %d bytes"
              .formatted(disk.path(), found, disk.target(), disk.bytes()));
    }
  }
}
