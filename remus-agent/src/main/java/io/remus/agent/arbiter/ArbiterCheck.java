package io.remus.agent.arbiter;

import io.remus.agent.config.AgentConfig;
import io.remus.agent.config.AgentConfig.Fence;
import io.remus.agent.config.AgentConfig.Peer;
import io.remus.agent.etcd.Deadline;
import io.remus.agent.etcd.EtcdClient;
import io.remus.core.control.DoctorReport.Check;
import io.remus.core.control.DoctorReport.Verdict;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Looks whether the arbiter would answer, without asking it to decide anything. */
public final class ArbiterCheck {
  private static final String NAME = "arbiter";

  private ArbiterCheck() {}

  /** Takes some seconds when something does not answer; a minute with a fence device. */
  public static List<Check> look(AgentConfig config) {
    return switch (config.arbiter().kind()) {
      case NONE ->
          List.of(
              new Check(
                  NAME,
                  Verdict.WARNING,
                  "none: split brain possible when every path between two hosts is cut",
                  "configure an [arbiter]: etcd or fence"));
      case ETCD -> List.of(etcd(config.arbiter()));
      case FENCE ->
          new TreeMap<>(config.peers())
              .values().stream().map(peer -> device(peer, peer.fence().orElseThrow())).toList();
    };
  }

  private static Check etcd(AgentConfig.Arbiter config) {
    try (EtcdClient etcd = EtcdClient.open(config)) {
      List<CompletableFuture<String>> asked =
          etcd.endpoints().stream()
              .map(
                  member ->
                      CompletableFuture.supplyAsync(() -> version(etcd, member), etcd.threads()))
              .toList();
      Set<String> versions = new TreeSet<>();
      List<String> silent = new ArrayList<>();
      for (CompletableFuture<String> answer : asked) {
        try {
          versions.add(answer.join());
        } catch (CompletionException e) {
          silent.add(e.getCause().getMessage());
        }
      }
      String found =
          "etcd %s, %d of %d members answer"
              .formatted(
                  String.join(" and ", versions), asked.size() - silent.size(), asked.size());
      // A member alone would answer all this; a read takes most of them.
      etcd.read("/remus", Deadline.ofQuestion());
      return silent.isEmpty()
          ? new Check(NAME, Verdict.OK, found, "")
          : new Check(
              NAME,
              Verdict.WARNING,
              found,
              "start etcd there, or check network and [arbiter]: " + String.join("; ", silent));
    } catch (IOException e) {
      return new Check(
          NAME,
          Verdict.FAILED,
          "etcd: " + e.getMessage(),
          "start most members of etcd; check network, firewall and [arbiter]");
    }
  }

  private static String version(EtcdClient etcd, URI member) {
    try {
      return etcd.version(member);
    } catch (IOException e) {
      throw new CompletionException(e);
    }
  }

  private static Check device(Peer peer, Fence fence) {
    String name = NAME + " fence " + peer.name();
    try {
      FenceProgram.Power power = new FenceProgram(fence).status();
      return new Check(
          name,
          Verdict.OK,
          "%s says that %s is %s"
              .formatted(fence.agent(), peer.name(), power == FenceProgram.Power.ON ? "on" : "off"),
          "");
    } catch (IOException e) {
      return new Check(
          name,
          Verdict.FAILED,
          e.getMessage(),
          "install fence-agents, check [peers.%s.fence] and the way to the device"
              .formatted(peer.name()));
    }
  }
}
