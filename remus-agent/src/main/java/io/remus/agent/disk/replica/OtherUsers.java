package io.remus.agent.disk.replica;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Finds who else has an image open: another process that may write it, or a loop device. The kernel
 * itself refuses a block device that is mounted ({@code O_EXCL}).
 */
final class OtherUsers {
  private static final Path PROC = Path.of("/proc");
  private static final Path BLOCK = Path.of("/sys/block");
  private static final int ACCESS_MODE = 3;

  private OtherUsers() {}

  /** In words; null when nobody is found. */
  static String of(Path image) throws IOException {
    FileId id = FileId.of(image);
    String process = process(id);
    return process != null ? process : loop(id);
  }

  private static String process(FileId id) throws IOException {
    String own = Long.toString(ProcessHandle.current().pid());
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
      for (Path process : processes) {
        String pid = process.getFileName().toString();
        if (!pid.equals(own) && writes(process, id)) {
          return "process %s (%s)".formatted(pid, read(process.resolve("comm")));
        }
      }
    }
    return null;
  }

  private static boolean writes(Path process, FileId id) {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path file : files) {
        if (is(file, id) && isWritable(process.resolve("fdinfo").resolve(file.getFileName()))) {
          return true;
        }
      }
    } catch (IOException | DirectoryIteratorException | UncheckedIOException e) {
      return false; // it has ended, and a kernel thread has no files
    }
    return false;
  }

  private static boolean isWritable(Path fdinfo) {
    return read(fdinfo)
        .lines()
        .filter(line -> line.startsWith("flags:"))
        .anyMatch(line -> (Long.parseLong(line.substring(6).strip(), 8) & ACCESS_MODE) != 0);
  }

  private static String loop(FileId id) throws IOException {
    if (!Files.isDirectory(BLOCK)) {
      return null;
    }
    try (DirectoryStream<Path> devices = Files.newDirectoryStream(BLOCK, "loop*")) {
      for (Path device : devices) {
        String backing = read(device.resolve("loop/backing_file"));
        if (backing.startsWith("/") && is(Path.of(backing), id)) {
          return "loop device " + device.getFileName();
        }
      }
    }
    return null;
  }

  private static boolean is(Path file, FileId id) {
    try {
      return FileId.of(file).equals(id);
    } catch (IOException e) {
      return false;
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException | UncheckedIOException e) {
      return "";
    }
  }
}
