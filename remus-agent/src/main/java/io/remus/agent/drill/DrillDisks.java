package io.remus.agent.drill;

import io.remus.agent.disk.replica.ImageCopies;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Disks and UEFI variables of a clone, and the room they take. */
final class DrillDisks implements Closeable {
  private final DrillSite site;
  private final Original original;
  private final String vm;
  private volatile ImageCopies copies;
  private long totalBytes;

  DrillDisks(DrillSite site, Original original) {
    this.site = site;
    this.original = original;
    this.vm = original.model().vm();
  }

  /** Raw images, by disk. */
  Map<String, Path> images() {
    Map<String, Path> images = new HashMap<>();
    original.disks().forEach(d -> images.put(d, site.directory().resolve(d + ".raw")));
    return images;
  }

  Path variables() {
    return site.directory().resolve("variables.fd");
  }

  /**
   * Makes the files, and takes at once what can be had without copying.
   *
   * @throws DrillException when there is no room for the rest, with figures
   */
  void begin() throws IOException, DrillException {
    Optional<Path> own = original.model().variables();
    if (own.isPresent()) {
      site.makeDirectory();
      Files.copy(own.get(), variables());
    }
    if (original.disks().isEmpty()) {
      return;
    }
    site.makeDirectory();
    Map<String, Path> images = images();
    List<Path> files = original.disks().stream().map(images::get).toList();
    copies = original.copyDisks(files);
    for (Path file : files) {
      totalBytes += Files.size(file);
    }
    long wanted = copies.bytesToCopy();
    long left = site.roomLeft();
    if (left < wanted) {
      throw new DrillException(
          "copies of the disks of VM %s need %d MiB, and their file system has %d MiB beside what replicas need"
              .formatted(vm, wanted >> 20, Math.max(0, left) >> 20),
          "make room in disks.directory, or put it on a file system that shares blocks, such as XFS");
    }
  }

  /** Copies the next piece. Returns whether there is more. */
  boolean step() throws IOException, DrillException {
    if (copies == null) {
      return false;
    }
    if (isFull()) {
      throw new DrillException(
          "disks.directory has less room left than replicas need", "make room there");
    }
    return copies.step();
  }

  /** Whether the replicas may soon lack room for what this drill takes. */
  boolean isFull() throws IOException {
    return !original.disks().isEmpty() && site.roomLeft() < 0;
  }

  /** What is copied; null when the VM has no replicated disks. */
  ImageCopies copies() {
    return copies;
  }

  /** The epoch is chosen: brings the copies there. */
  void finish() throws IOException {
    if (copies != null) {
      copies.finish();
      close();
    }
  }

  long copiedBytes() {
    ImageCopies copying = copies;
    return copying == null ? totalBytes : copying.copiedBytes();
  }

  long totalBytes() {
    return totalBytes;
  }

  @Override
  public void close() throws IOException {
    if (copies != null) {
      ImageCopies closing = copies;
      copies = null;
      closing.close();
    }
  }
}
