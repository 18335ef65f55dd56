package io.remus.agent.conductor;

import io.remus.agent.guest.GuestException;
import io.remus.agent.guest.HostMemory;
import io.remus.core.control.HostInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What this host tells of itself. */
final class ThisHost {
  private static final Logger LOG = LoggerFactory.getLogger(ThisHost.class);

  /** Of the free memory, so that not every page is news. */
  private static final long STEP_BYTES = 64L << 20;

  private final Surroundings around;
  private final Conductor conductor;

  ThisHost(Surroundings around, Conductor conductor) {
    this.around = around;
    this.conductor = conductor;
  }

  /** As it is now; unregistered while libvirt does not answer, for then it can take no standby. */
  HostInfo info() {
    String name = around.config().host();
    try {
      long free = HostMemory.availableBytes() - conductor.owedBytes();
      return new HostInfo(
          name,
          true,
          conductor.isDraining(),
          String.valueOf(ThisHost.class.getPackage().getImplementationVersion()),
          around.hypervisor().emulatorVersion(),
          cpu(),
          Math.max(0, free) / STEP_BYTES * STEP_BYTES,
          bridges(),
          conductor.primaryNames(),
          conductor.standbyNames());
    } catch (GuestException | IOException e) {
      LOG.warn("this host cannot tell of itself: {}", e.getMessage());
      return HostInfo.unregistered(name);
    }
  }

  private static String cpu() throws IOException {
    try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .findFirst()
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .orElse("unknown");
    }
  }

  private static List<String> bridges() throws IOException {
    List<String> bridges = new ArrayList<>();
    try (var cards = Files.newDirectoryStream(Path.of("/sys/class/net"))) {
      for (Path card : cards) {
        if (Files.exists(card.resolve("bridge"))) {
          bridges.add(card.getFileName().toString());
        }
      }
    }
    bridges.sort(null);
    return bridges;
  }
}
