package io.remus.agent.disk.replica;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * What a file is, whatever it is called.
 *
 * @param device a block device
 * @param major its device number, or that of the file system that the file is on
 * @param inode 0 for a device
 */
record FileId(boolean device, long major, long inode) {
  private static final int TYPE = 0170000;
  private static final int BLOCK_DEVICE = 0060000;

  /** Follows links. */
  static FileId of(Path file) throws IOException {
    Map<String, Object> found = Files.readAttributes(file, "unix:mode,dev,ino,rdev");
    boolean device = ((Integer) found.get("mode") & TYPE) == BLOCK_DEVICE;
    return device
        ? new FileId(true, ((Number) found.get("rdev")).longValue(), 0)
        : new FileId(
            false,
            ((Number) found.get("dev")).longValue(),
            ((Number) found.get("ino")).longValue());
  }
}
