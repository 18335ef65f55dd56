package io.remus.agent.conductor;

import io.remus.agent.arbiter.ArbiterCheck;
import io.remus.agent.config.AgentConfig;
import io.remus.agent.guest.GuestException;
import io.remus.agent.guest.Hypervisor;
import io.remus.agent.nativeio.Features;
import io.remus.agent.peer.PeerAddress;
import io.remus.agent.peer.PeerConnection;
import io.remus.agent.peer.PeerDialer;
import io.remus.agent.peer.PeerTransport;
import io.remus.core.control.DoctorReport;
import io.remus.core.control.DoctorReport.Check;
import io.remus.core.control.DoctorReport.Verdict;
import io.remus.core.wire.Purpose;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Looks at everything a host needs, and says what to do about what is missing. */
public final class Doctor {
  private static final long DIAL_LIMIT_S = 5;

  private final AgentConfig config;
  private final Features features;
  private final Hypervisor hypervisor;
  private final PeerDialer dialer;
  private final List<Check> checks = new ArrayList<>();

  Doctor(AgentConfig config, Features features, Hypervisor hypervisor, PeerDialer dialer) {
    this.config = config;
    this.features = features;
    this.hypervisor = hypervisor;
    this.dialer = dialer;
  }

  /** A look at a host whose agent does not run. */
  public static DoctorReport withoutAgent(AgentConfig config) throws IOException, GuestException {
    try (PeerTransport transport = new PeerTransport(Agent.tls(config));
        Hypervisor hypervisor = new Hypervisor((vm, crashed, detail) -> {})) {
      return new Doctor(config, Features.probe(), hypervisor, new PeerDialer(transport)).report();
    }
  }

  /** Looks; takes seconds when a peer does not answer. */
  public DoctorReport report() {
    root();
    kernel();
    libvirt();
    stateDirectory();
    peers();
    checks.addAll(ArbiterCheck.look(config));
    return new DoctorReport(List.copyOf(checks));
  }

  private void add(String name, Verdict verdict, String found, String advice) {
    checks.add(new Check(name, verdict, found, verdict == Verdict.OK ? "" : advice));
  }

  private void root() {
    boolean root = "root".equals(System.getProperty("user.name"));
    add(
        "privileges",
        root ? Verdict.OK : Verdict.FAILED,
        root ? "root" : "user " + System.getProperty("user.name"),
        "run the agent as root: it reads the memory of QEMU processes");
  }

  private void kernel() {
    add(
        "dirty tracking",
        features.writeProtect() ? Verdict.OK : Verdict.WARNING,
        features.bestTracker().configName(),
        "use Linux 6.7 or newer for write-protect tracking, which pauses guests least");
    Verdict held =
        features.nftQueue() ? Verdict.OK : features.nftTarget() ? Verdict.WARNING : Verdict.FAILED;
    String found =
        features.nftQueue()
            ? "nftables queue in family bridge"
            : features.nftTarget() ? "NFQUEUE in families ip and ip6: ARP is not held" : "none";
    add(
        "output commit",
        held,
        found,
        "load the kernel modules nf_tables, nft_queue and nfnetlink_queue (all IPv4, IPv6 and ARP output is held by them)");
  }

  private void libvirt() {
    try {
      add(
          "libvirt",
          Verdict.OK,
          "libvirt " + hypervisor.libvirtVersion() + ", QEMU " + hypervisor.emulatorVersion(),
          "");
    } catch (GuestException e) {
      add("libvirt", Verdict.FAILED, e.getMessage(), "start libvirtd or virtqemud");
    }
    Path kvm = Path.of("/dev/kvm");
    boolean usable = Files.isReadable(kvm) && Files.isWritable(kvm);
    add(
        "kvm",
        usable ? Verdict.OK : Verdict.WARNING,
        usable ? "/dev/kvm" : "no usable /dev/kvm",
        "enable virtualization in the firmware, load kvm_intel or kvm_amd; emulated guests work without");
  }

  private void stateDirectory() {
    Path directory = config.stateDirectory();
    try {
      Path probe = Files.createTempFile(directory, "doctor", ".tmp");
      Files.delete(probe);
      long free = Files.getFileStore(directory).getUsableSpace();
      boolean room = free > config.memory().stage();
      add(
          "state directory",
          room ? Verdict.OK : Verdict.WARNING,
          directory + ", " + (free >> 20) + " MiB free",
          "free some space: epochs larger than memory.stage spill there");
    } catch (IOException e) {
      add(
          "state directory",
          Verdict.FAILED,
          directory + " cannot be written",
          "make it writable: terms must be on disk before a failover");
    }
  }

  private void peers() {
    if (config.peers().isEmpty()) {
      add("peers", Verdict.WARNING, "none configured", "add a [peers.NAME] section for each peer");
    }
    for (AgentConfig.Peer config : new TreeMap<>(this.config.peers()).values()) {
      Peer peer = new Peer(config);
      for (PeerAddress path : peer.paths()) {
        reach(path);
      }
      if (!peer.hasSecondPath()) {
        add(
            "peer " + peer.name() + " second path",
            Verdict.WARNING,
            "no heartbeat_address",
            "give "
                + peer.name()
                + " a heartbeat_address on another network: one cut cable then cannot split the pair");
      }
    }
  }

  private void reach(PeerAddress path) {
    String name = "peer " + path.name() + " at " + path.address();
    try {
      PeerConnection connection =
          dialer
              .dial(path, Purpose.QUERY, made -> FrameListeners.DEAF)
              .get(DIAL_LIMIT_S, TimeUnit.SECONDS);
      connection.close();
      add(name, Verdict.OK, "answers", "");
    } catch (ExecutionException e) {
      add(
          name,
          Verdict.FAILED,
          Causes.message(e.getCause()),
          "start remus-agent on " + path.name());
    } catch (TimeoutException e) {
      add(
          name,
          Verdict.FAILED,
          "does not answer",
          "check network and firewall, port " + path.port());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
