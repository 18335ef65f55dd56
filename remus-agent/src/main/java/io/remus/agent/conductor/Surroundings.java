package io.remus.agent.conductor;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoopGroup;
import io.remus.agent.arbiter.Arbiter;
import io.remus.agent.config.AgentConfig;
import io.remus.agent.guest.Hypervisor;
import io.remus.agent.nativeio.Features;
import io.remus.agent.nativeio.TrackerKind;
import io.remus.agent.peer.PeerDialer;
import io.remus.agent.status.EpochLog;
import io.remus.agent.status.EventLog;
import io.remus.agent.term.TermStore;
import io.remus.core.failover.ArbiterKind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;

/**
 * What all VMs of an agent share.
 *
 * @param diskIo serves the exports of disks
 * @param stageDirectory where large epochs spill to
 */
record Surroundings(
    AgentConfig config,
    Features features,
    TrackerKind trackerKind,
    Hypervisor hypervisor,
    PeerDialer dialer,
    ByteBufAllocator allocator,
    EventLoopGroup diskIo,
    PeerInquiry inquiry,
    Arbiter arbiter,
    ScheduledExecutorService clock,
    TermStore terms,
    EventLog events,
    EpochLog epochLog,
    QueueNumbers queues,
    KnownReplicas replicas,
    Path stageDirectory) {

  int timeoutMs() {
    return (int) config.failover().timeout().toMillis();
  }

  long timeoutNs() {
    return config.failover().timeout().toNanos();
  }

  long heartbeatMs() {
    return config.failover().heartbeat().toMillis();
  }

  /** How output is held, for status. */
  String outputText(int queue) {
    return (features.nftQueue() ? "nft bridge queue " : "nft ip/ip6 NFQUEUE ") + queue;
  }

  /** Why a VM's term is not on disk, and what to do. */
  String notPersisted(String vm, Throwable why) {
    return "%s cannot write the term of VM %s: %s; make room in %s"
        .formatted(config.host(), vm, why.getMessage(), config.stateDirectory());
  }

  /** What weakens the protection by this peer. */
  List<String> warnings(Peer peer) {
    List<String> warnings = new ArrayList<>();
    if (!features.nftQueue()) {
      warnings.add("ARP is not held: this kernel has no nftables queue expression");
    }
    if (arbiter.kind() == ArbiterKind.NONE) {
      warnings.add(
          "split brain possible when both %s and %s live and no path between them works: there is no arbiter"
              .formatted(config.host(), peer.name()));
    }
    return warnings;
  }
}
