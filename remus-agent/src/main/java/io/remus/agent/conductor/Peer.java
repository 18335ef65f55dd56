package io.remus.agent.conductor;

import io.remus.agent.config.AgentConfig;
import io.remus.agent.peer.PeerAddress;
import java.util.ArrayList;
import java.util.List;

/** Another host and the ways to it. */
record Peer(AgentConfig.Peer config) {
  String name() {
    return config.name();
  }

  /** Where epochs go. */
  PeerAddress address() {
    return new PeerAddress(config.name(), config.address(), config.port());
  }

  /** Every way to the peer, the one for epochs first. */
  List<PeerAddress> paths() {
    List<PeerAddress> paths = new ArrayList<>();
    paths.add(address());
    config
        .heartbeatAddress()
        .ifPresent(a -> paths.add(new PeerAddress(config.name(), a, config.port())));
    return paths;
  }

  boolean hasSecondPath() {
    return config.heartbeatAddress().isPresent();
  }
}
