package io.remus.agent.guest;

import io.remus.agent.nativeio.MemoryBlock;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The QEMU process of a domain, seen through /proc.
 *
 * @param pid process id
 * @param directory where libvirt lets this QEMU write
 * @param uid owner of that directory
 * @param gid its group
 */
record QemuProcess(int pid, Path directory, int uid, int gid) {
  private static final Pattern DIRECTORY =
      Pattern.compile("(?:\"file\":\"|file=)(/[^\",]+)/master-key\\.aes");

  /** A readable and writable mapping. */
  record Mapping(long start, long end) {
    long bytes() {
      return end - start;
    }
  }

  /** Finds the process by the pid file that libvirt keeps. */
  static QemuProcess of(String vm) throws GuestException {
    try {
      int pid =
          Integer.parseInt(Files.readString(Path.of("/run/libvirt/qemu", vm + ".pid")).strip());
      String commandLine =
          Files.readString(Path.of("/proc/" + pid + "/cmdline"), StandardCharsets.ISO_8859_1);
      Matcher matcher = DIRECTORY.matcher(commandLine);
      if (!matcher.find()) {
        throw new GuestException(
            GuestException.Kind.UNPROTECTABLE,
            "the QEMU of VM " + vm + " has no directory of libvirt's to make the gate in",
            "start the VM through libvirt");
      }
      Path directory = Path.of(matcher.group(1));
      int uid = (int) Files.getAttribute(directory, "unix:uid");
      int gid = (int) Files.getAttribute(directory, "unix:gid");
      return new QemuProcess(pid, directory, uid, gid);
    } catch (IOException e) {
      throw new GuestException("cannot find the QEMU process of VM " + vm, e);
    }
  }

  /** Bytes of its memory that are there; 0 for a process that is gone. */
  long residentBytes() {
    try {
      String[] pages = Files.readString(Path.of("/proc/" + pid + "/statm")).split(" ", 3);
      return Long.parseLong(pages[1]) * MemoryBlock.PAGE;
    } catch (IOException e) {
      return 0;
    }
  }

  List<Mapping> writableMappings() throws GuestException {
    try {
      List<Mapping> mappings = new ArrayList<>();
      for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/maps"))) {
        String[] fields = line.split("[- ]", 4);
        if (fields[2].startsWith("rw")) {
          mappings.add(
              new Mapping(
                  Long.parseUnsignedLong(fields[0], 16), Long.parseUnsignedLong(fields[1], 16)));
        }
      }
      return mappings;
    } catch (IOException e) {
      throw new GuestException("cannot read the memory map of process " + pid, e);
    }
  }
}
