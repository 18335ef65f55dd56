package io.remus.agent.guest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The memory of this host. */
public final class HostMemory {
  private HostMemory() {}

  /** Bytes that new processes can have without swapping: {@code MemAvailable} of proc(5). */
  public static long availableBytes() throws GuestException {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
        if (line.startsWith("MemAvailable:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
        }
      }
      throw new IOException("no MemAvailable");
    } catch (IOException e) {
      throw new GuestException("cannot read this host's free memory", e);
    }
  }
}
