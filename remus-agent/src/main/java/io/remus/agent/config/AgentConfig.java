package io.remus.agent.config;

import io.remus.core.failover.ArbiterKind;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * What {@code /etc/remus/remus.conf} says, with the defaults where it says nothing. The file that
 * is installed, config/remus.conf, explains every key to the sysadmin.
 *
 * @param host this host's name, as its peers and its certificate call it
 * @param stateDirectory terms, events and what else has to survive a restart
 * @param peers the other hosts by name
 */
public record AgentConfig(
    String host,
    Path stateDirectory,
    Listen listen,
    Pki pki,
    Map<String, Peer> peers,
    Protection protection,
    Failover failover,
    Arbiter arbiter,
    Memory memory,
    Disks disks,
    Capture capture,
    Output output,
    Control control,
    Log log) {

  public static final Path FILE = Path.of("/etc/remus/remus.conf");
  public static final int PORT = 7420;

  public AgentConfig {
    peers = Map.copyOf(peers);
  }

  /** Where peers reach this agent. */
  public record Listen(String address, int port) {}

  /** PEM files for mutual TLS with the peers. */
  public record Pki(Path ca, Path certificate, Path key) {}

  /**
   * Another host.
   *
   * @param heartbeatAddress a second way to the peer for heartbeats, on another network if possible
   * @param fence how to power it off; there whenever the arbiter is {@link ArbiterKind#FENCE}
   */
  public record Peer(
      String name,
      String address,
      int port,
      Optional<String> heartbeatAddress,
      Optional<Fence> fence) {}

  /**
   * A host's fence device.
   *
   * @param agent program that speaks the fence-agents API: a path, or a name on the PATH
   * @param options what the program is told besides the action; holds passwords
   */
  public record Fence(String agent, Map<String, String> options) {
    public Fence {
      options = Map.copyOf(options);
    }

    /** Without the options' values, for logs. */
    @Override
    public String toString() {
      return "Fence[agent=" + agent + ", options=" + new TreeSet<>(options.keySet()) + "]";
    }
  }

  /**
   * How VMs are protected.
   *
   * @param interval from one epoch's start to the next, unless {@code remus protect} says otherwise
   * @param idleInterval the same as long as the guest sends nothing; not shorter
   */
  public record Protection(Duration interval, Duration idleInterval) {
    public Protection {
      idleInterval = idleInterval.compareTo(interval) < 0 ? interval : idleInterval;
    }
  }

  /**
   * When a peer counts as lost.
   *
   * @param heartbeat time between two heartbeats
   * @param timeout silence after which the backup takes over; at least three heartbeats
   * @param agentGrace silence that is allowed while the peer's host answers and its agent does not
   * @param reprotect whether a VM that lost its backup, or was taken over, is protected again
   *     without a command
   */
  public record Failover(
      Duration heartbeat, Duration timeout, Duration agentGrace, Reprotect reprotect) {}

  /**
   * Who decides between two hosts that have lost each other.
   *
   * @param endpoints members of the etcd cluster; empty for the other kinds
   * @param ca CA of the members' certificates; absent for those that Java trusts anyway
   * @param certificate this host's certificate for etcd, there together with its key
   * @param delay how long a backup waits before it fences a primary, so that the primary is first
   */
  public record Arbiter(
      ArbiterKind kind,
      List<URI> endpoints,
      Optional<Path> ca,
      Optional<Path> certificate,
      Optional<Path> key,
      Duration delay) {
    public Arbiter {
      endpoints = List.copyOf(endpoints);
    }
  }

  /** Who begins to protect a VM again. */
  public enum Reprotect {
    AUTO,
    MANUAL;

    /** The name in the configuration. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Native memory for each VM, in bytes; together with the standby's RAM all that protection takes
   * outside the Java heap.
   *
   * @param arena captured pages of epochs that are not sent yet, on the primary
   * @param deltaCache pages as the backup has them, to send differences only, on the primary
   * @param disk disk writes that are not sent yet, on the primary
   * @param stage received epochs that are not committed yet, on the backup
   */
  public record Memory(long arena, long deltaCache, long disk, long stage) {}

  /**
   * Replicas of other hosts' disks, and how disks are copied to other hosts.
   *
   * @param directory where replicas are kept
   * @param journal most bytes of disk writes that are committed and not applied yet, for each VM
   * @param copyRate most bytes a second that an initial copy reads; 0 for no limit
   * @param devices block devices to be used as replicas, by VM and disk, such as {@code db1:vda}
   */
  public record Disks(Path directory, long journal, long copyRate, Map<String, Path> devices) {
    public Disks {
      devices = Map.copyOf(devices);
    }
  }

  /** How dirty pages are found. */
  public record Capture(Tracker tracker) {}

  /** A way to find dirty pages; {@code auto} takes the first that this host can do. */
  public enum Tracker {
    AUTO,
    WRITE_PROTECT,
    SOFT_DIRTY,
    SHADOW;

    /** The name in the configuration, such as {@code write-protect}. */
    public String word() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * How output is held.
   *
   * @param firstQueue NFQUEUE number of the first VM; the next VMs take the numbers after it
   * @param queuePackets packets held for a VM before further ones are dropped
   */
  public record Output(int firstQueue, int queuePackets) {}

  /** The unix socket of the {@code remus} command. */
  public record Control(Path socket, String group) {}

  /**
   * Logs beside the journal.
   *
   * @param epochs file that gets one line for each epoch; absent when off
   */
  public record Log(Optional<Path> epochs) {}
}
