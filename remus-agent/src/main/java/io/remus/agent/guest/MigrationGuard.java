package io.remus.agent.guest;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;

/**
 * Keeps a protected VM from being migrated, saved or snapshotted with its memory. libvirt has no
 * hook for that, but QEMU refuses all of it as long as it has an image open whose format "does not
 * support live migration", and its refusal names the image's node. Such an image, which no device
 * uses and nothing is read from, is opened here under a name that says why.
 */
final class MigrationGuard {
  /** What the admin reads in the refusal. */
  static final String NODE = "protected-by-remus";

  private static final int HEADER_BYTES = 512;
  private static final int BLOCK_BYTES = 1 << 20;

  private final Monitor monitor;
  private final QemuProcess process;

  MigrationGuard(Monitor monitor, QemuProcess process) {
    this.monitor = monitor;
    this.process = process;
  }

  /** Refuses from now on. Nothing happens when an earlier agent left its guard. */
  void raise() throws GuestException {
    if (isRaised(monitor)) {
      return;
    }
    Path image = process.directory().resolve("remus.guard.vdi");
    try {
      write(image);
      try {
        monitor.run(
            Monitor.command(
                "blockdev-add",
                "driver",
                "vdi",
                "node-name",
                NODE,
                "read-only",
                true,
                "file",
                Map.of("driver", "file", "filename", image.toString())));
      } finally {
        // QEMU has it open, or never will.
        Files.delete(image);
      }
    } catch (IOException e) {
      throw new GuestException("cannot make " + image, e);
    }
  }

  private void write(Path image) throws IOException {
    Files.deleteIfExists(image);
    Files.createFile(
        image, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r--------")));
    try (FileChannel file = FileChannel.open(image, StandardOpenOption.WRITE)) {
      file.write(image());
    }
    Files.setAttribute(image, "unix:uid", process.uid());
    Files.setAttribute(image, "unix:gid", process.gid());
  }

  /** Allows again. Nothing happens when nothing is refused. */
  static void lower(Monitor monitor) throws GuestException {
    if (isRaised(monitor)) {
      monitor.run(Monitor.command("blockdev-del", "node-name", NODE));
    }
  }

  private static boolean isRaised(Monitor monitor) throws GuestException {
    for (JsonNode node : monitor.run(Monitor.command("query-named-block-nodes", "flat", true))) {
      if (node.path("node-name").asText().equals(NODE)) {
        return true;
      }
    }
    return false;
  }

  /**
   * An empty image of 1 MiB in the format of VirtualBox, version 1.1 (block/vdi.c in QEMU's
   * source).
   */
  static ByteBuffer image() {
    ByteBuffer image = ByteBuffer.allocate(2 * HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    image.put(
        "<<< made by Remus; a protected VM cannot be migrated >>>\n"
            .getBytes(StandardCharsets.US_ASCII));
    image.position(0x40);
    image.putInt(0xbeda107f).putInt(0x00010001); // signature, version
    image.putInt(0x180).putInt(1).putInt(0); // bytes of the header, dynamic image, no flags
    image.position(0x154);
    image
        .putInt(HEADER_BYTES)
        .putInt(2 * HEADER_BYTES); // where the block map is, where data would be
    image.position(0x168);
    image.putInt(HEADER_BYTES); // bytes of a sector
    image.position(0x170);
    image.putLong(BLOCK_BYTES).putInt(BLOCK_BYTES).putInt(0); // bytes of the disk, of a block
    image.putInt(1).putInt(0); // blocks of the disk, blocks in use
    image.position(HEADER_BYTES);
    image.putInt(-1); // the only block is not in use
    return image.rewind();
  }
}
