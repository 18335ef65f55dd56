package io.remus.agent.disk.replica;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * The files of replicas, as far as their order on disk matters: tests put a disk under it that
 * loses what was not forced. Errors name the file.
 */
interface Storage {
  /** Makes a directory and those above it. */
  void makeDirectory(Path directory) throws IOException;

  boolean exists(Path file);

  /** What is in a directory, without order; nothing when there is no such directory. */
  List<Path> list(Path directory) throws IOException;

  /** Tells whether two names mean the same file or device. */
  FileId identify(Path file) throws IOException;

  /** Who else may change a file, in words; null when nobody is known to. */
  String otherUser(Path file) throws IOException;

  /** Makes an empty file, in place of one that is there. */
  BlockFile create(Path file) throws IOException;

  /** Opens an existing file. */
  BlockFile open(Path file) throws IOException;

  /** Makes an image of one hole, in place of one that is there. */
  void createImage(Path file, long bytes) throws IOException;

  /**
   * Opens an existing image or block device.
   *
   * @param writable takes a block device exclusively
   */
  ImageFile openImage(Path file, boolean writable) throws IOException;

  /** Makes the file known under {@code to}, in place of one that is there. */
  void rename(Path from, Path to) throws IOException;

  void delete(Path file) throws IOException;

  /** Makes names that were created, renamed or deleted in a directory outlive a power cut. */
  void forceDirectory(Path directory) throws IOException;
}
