package io.remus.agent.drill;

import io.remus.agent.guest.GuestException;
import io.remus.core.control.EventRecord.Level;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.UUID;

/**
 * Everything that the drill of a VM makes on this host: clone, namespace, copies of disks. All of
 * it has names that follow from the VM's, and a note on disk says that it may be there; so the next
 * agent finds what one that died has left.
 */
final class DrillSite {
  private static final int REMOVAL_ATTEMPTS = 5;
  private static final long REMOVAL_RETRY_MS = 1_000;

  private final DrillHost host;
  private final String vm;
  private final String uuid;
  private final DrillNetwork network;

  /**
   * @param uuid of the VM
   */
  DrillSite(DrillHost host, String vm, String uuid) {
    this.host = host;
    this.vm = vm;
    this.uuid = uuid;
    this.network = new DrillNetwork("remus-drill-" + vm);
  }

  /** libvirt's name of the clone. */
  String domain() {
    return vm + "-drill";
  }

  /** libvirt's UUID of the clone: the same each time. */
  String domainUuid() {
    return UUID.nameUUIDFromBytes(("remus drill " + uuid).getBytes(StandardCharsets.UTF_8))
        .toString();
  }

  DrillNetwork network() {
    return network;
  }

  /** Where copies of disks are made; see {@link #makeDirectory}. */
  Path directory() {
    return host.disks().resolve("drill-" + uuid);
  }

  private Path note() {
    return host.records().resolve(uuid);
  }

  /** Notes that something will be made from here on: on disk before this returns. */
  void begin() throws IOException {
    Files.createDirectories(host.records());
    try (FileChannel file =
        FileChannel.open(
            note(),
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      file.write(StandardCharsets.UTF_8.encode(vm));
      file.force(true);
    }
    try (FileChannel parent = FileChannel.open(host.records(), StandardOpenOption.READ)) {
      parent.force(true);
    }
  }

  /** QEMU's user has to get to its files. */
  void makeDirectory() throws IOException {
    Files.createDirectories(
        directory(),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx--x--x")));
  }

  /** Bytes that can be written before the replicas lack room. */
  long roomLeft() throws IOException {
    FileStore store = Files.getFileStore(host.disks());
    return store.getUsableSpace() - host.roomBytes();
  }

  /** Removes everything; tells when something stays. */
  void remove() {
    for (int attempt = 1; ; attempt++) {
      try {
        removeOnce();
        return;
      } catch (IOException | GuestException e) {
        if (attempt == REMOVAL_ATTEMPTS || Thread.currentThread().isInterrupted()) {
          host.events()
              .vm(
                  Level.ERROR,
                  vm,
                  "not all of its drill could be removed, the agent's next start tries again: "
                      + e.getMessage());
          return;
        }
        pause();
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(REMOVAL_RETRY_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void removeOnce() throws IOException, GuestException {
    host.hypervisor().destroy(domainUuid());
    network.remove();
    if (Files.exists(directory())) {
      try (var files = Files.newDirectoryStream(directory())) {
        for (Path file : files) {
          Files.delete(file);
        }
      }
      Files.delete(directory());
    }
    Files.deleteIfExists(note());
  }

  /** Removes what drills of an earlier agent have left. */
  static void removeLeftovers(DrillHost host) throws IOException {
    if (!Files.isDirectory(host.records())) {
      return;
    }
    List<Path> notes;
    try (var files = Files.list(host.records())) {
      notes = files.toList();
    }
    for (Path note : notes) {
      String vm = Files.readString(note);
      host.events().vm(Level.WARNING, vm, "removing the drill that an earlier agent left");
      new DrillSite(host, vm, note.getFileName().toString()).remove();
    }
  }
}
