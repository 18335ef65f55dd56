package io.remus.agent.drill;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The network of a drill: a namespace with a bridge in it, into which the clone's taps are moved
 * (ip-netns(8)). Nothing leads out of it, and this host's own addresses and routes are not in it: a
 * bridge beside the others would answer the clone for the host, and forward for it where the host
 * is a router.
 */
final class DrillNetwork {
  private static final String BRIDGE = "lan";
  private static final Path NAMESPACES = Path.of("/run/netns");
  private static final long LIMIT_S = 10;

  private final String name;

  DrillNetwork(String name) {
    this.name = name;
  }

  String name() {
    return name;
  }

  boolean exists() {
    return Files.exists(NAMESPACES.resolve(name));
  }

  /**
   * Makes namespace and bridge.
   *
   * @param address of this host on the bridge, with prefix length; null for none
   */
  void make(String address) throws IOException {
    ip("netns", "add", name);
    ip("-n", name, "link", "set", "lo", "up");
    // Ports forward at once, and multicast goes everywhere: a handful of cards need no cleverness.
    ip(
        "-n",
        name,
        "link",
        "add",
        BRIDGE,
        "type",
        "bridge",
        "forward_delay",
        "0",
        "mcast_snooping",
        "0");
    if (address != null) {
      // Without duplicate address detection an IPv6 address works at once.
      List<String> add = new ArrayList<>(List.of("-n", name, "address", "add", address));
      if (address.contains(":")) {
        add.add("nodad");
      }
      add.addAll(List.of("dev", BRIDGE));
      ip(add.toArray(new String[0]));
    }
    ip("-n", name, "link", "set", BRIDGE, "up");
  }

  /** Moves a tap of this host into the network. */
  void plug(String tap) throws IOException {
    ip("link", "set", "dev", tap, "netns", name);
    ip("-n", name, "link", "set", "dev", tap, "master", BRIDGE, "up");
  }

  /** Ends what runs in the namespace, and removes it. Nothing happens when it does not exist. */
  void remove() throws IOException {
    if (exists()) {
      for (String pid : ip("netns", "pids", name).lines().toList()) {
        ProcessHandle.of(Long.parseLong(pid.strip())).ifPresent(ProcessHandle::destroyForcibly);
      }
      ip("netns", "delete", name);
    }
  }

  /** Runs ip(8); returns what it says. */
  private static String ip(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("ip"));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    try {
      if (!process.waitFor(LIMIT_S, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IOException("%s does not end".formatted(String.join(" ", command)));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    if (process.exitValue() != 0) {
      throw new IOException("%s: %s".formatted(String.join(" ", command), said));
    }
    return said;
  }
}
