package io.remus.cli;

import io.remus.agent.control.ControlServer;
import io.remus.agent.control.Operations;
import io.remus.agent.control.RefusedException;
import io.remus.agent.status.EventLog;
import io.remus.core.control.AgentInfo;
import io.remus.core.control.Copies;
import io.remus.core.control.DiskDurability;
import io.remus.core.control.DoctorReport;
import io.remus.core.control.Drain;
import io.remus.core.control.DrillRequest;
import io.remus.core.control.DrillState;
import io.remus.core.control.DrillStatus;
import io.remus.core.control.Figures;
import io.remus.core.control.HostInfo;
import io.remus.core.control.ProtectRequest;
import io.remus.core.control.RecoverRequest;
import io.remus.core.control.Switchover;
import io.remus.core.control.VerificationProgress;
import io.remus.core.control.VerificationReport;
import io.remus.core.control.VmRole;
import io.remus.core.control.VmState;
import io.remus.core.control.VmStatus;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;

/** The agent's own control server over operations that a test scripts. */
final class ScriptedAgent implements Operations, AutoCloseable {
  final Path socket;
  final EventLog events;
  final List<String> asked = Collections.synchronizedList(new ArrayList<>());

  /** The states that the VM goes through, one for each question; the last one stays. */
  final Queue<VmStatus> script = new ConcurrentLinkedQueue<>();

  /** The same for a drill. */
  final Queue<DrillStatus> drills = new ConcurrentLinkedQueue<>();

  volatile DoctorReport report = new DoctorReport(List.of());

  /** What the next comparison finds; null for a VM that cannot be compared. */
  volatile VerificationReport verification;

  /** In place of that: one that takes its time. */
  volatile CompletableFuture<VerificationReport> verifying;

  private final ControlServer server;

  ScriptedAgent(Path directory) throws IOException {
    socket = directory.resolve("agent.sock");
    events = EventLog.open(directory, InstantSource.system());
    server = ControlServer.start(socket, "root", this, events);
  }

  @Override
  public List<VmStatus> vms() {
    return vm("ledger").map(List::of).orElse(List.of());
  }

  @Override
  public Optional<VmStatus> vm(String name) {
    VmStatus now = script.size() > 1 ? script.poll() : script.peek();
    return Optional.ofNullable(now).filter(status -> status.name().equals(name));
  }

  @Override
  public CompletionStage<VmStatus> protect(String name, ProtectRequest request) {
    asked.add("protect " + name + " " + request);
    return vm(name)
        .map(CompletableFuture::completedStage)
        .orElseGet(() -> CompletableFuture.failedStage(RefusedException.unknownVm(name)));
  }

  @Override
  public CompletionStage<Void> unprotect(String name, boolean force) {
    asked.add("unprotect " + name + (force ? " force" : ""));
    if (!force) {
      throw RefusedException.conflict(
          "backup-silent", "VM " + name + ": the backup does not answer", "Add --force.");
    }
    return CompletableFuture.completedStage(null);
  }

  @Override
  public CompletionStage<VmStatus> failover(String name) {
    asked.add("failover " + name);
    return CompletableFuture.completedStage(status(VmState.ACTIVE, null));
  }

  @Override
  public CompletionStage<Switchover> switchover(String name) {
    asked.add("switchover " + name);
    return CompletableFuture.completedStage(
        new Switchover(name, "hv2", 4, 1041, 4.1, 8.2, 1.3, 40.4, 54.0));
  }

  @Override
  public Copies copies(String name) {
    return new Copies(
        name,
        List.of(
            new Copies.Copy("hv1", Copies.Source.PRIMARY, 3, null, null, "its own disks"),
            new Copies.Copy("hv2", Copies.Source.REPLICA, 3, 41L, Instant.EPOCH, "at this epoch")));
  }

  @Override
  public CompletionStage<Copies> recover(String name, RecoverRequest request) {
    asked.add("recover " + name + " " + request);
    return CompletableFuture.completedStage(copies(name));
  }

  @Override
  public DrillStatus drill(String name, DrillRequest request) {
    asked.add("drill " + name + " " + request);
    return drill(name).orElseThrow(() -> RefusedException.unknownVm(name));
  }

  @Override
  public Optional<DrillStatus> drill(String name) {
    return Optional.ofNullable(drills.size() > 1 ? drills.poll() : drills.peek());
  }

  @Override
  public CompletionStage<Void> stopDrill(String name) {
    asked.add("stop drill " + name);
    return CompletableFuture.completedStage(null);
  }

  @Override
  public List<HostInfo> hosts() {
    return List.of(
        new HostInfo(
            "hv1",
            true,
            false,
            "1.0",
            "7.2.22",
            "EPYC",
            8L << 30,
            List.of("br0"),
            List.of("ledger"),
            List.of()),
        HostInfo.unregistered("hv2"));
  }

  @Override
  public Drain drain() {
    asked.add("drain");
    return new Drain(List.of("ledger"), List.of(new Drain.Left("db", "it is not protected")));
  }

  @Override
  public void endDrain() {
    asked.add("end of drain");
  }

  @Override
  public CompletionStage<VerificationReport> verify(String name) {
    asked.add("verify " + name);
    return verifying != null
        ? verifying
        : verification == null
            ? CompletableFuture.failedStage(RefusedException.unknownVm(name))
            : CompletableFuture.completedStage(verification);
  }

  @Override
  public Optional<VerificationProgress> verification(String name) {
    asked.add("progress");
    return verifying == null ? Optional.empty() : Optional.of(new VerificationProgress(37.5, true));
  }

  @Override
  public DoctorReport doctor() {
    return report;
  }

  @Override
  public AgentInfo info() {
    throw new IllegalStateException("no info today");
  }

  @Override
  public void close() throws IOException {
    server.close();
    events.close();
  }

  static DrillStatus drill(DrillState state, double percent, String reason) {
    boolean taken = percent == 100;
    Instant at = Instant.parse("2026-11-01T10:00:00Z");
    return new DrillStatus(
        "ledger",
        state,
        reason,
        at,
        percent,
        taken ? 41L : null,
        taken ? at : null,
        "ledger-drill",
        "remus-drill-nosuch",
        "10.77.0.99/24",
        taken ? at.plusSeconds(600) : null);
  }

  static VmStatus status(VmState state, VmStatus.Sync sync) {
    Figures figures =
        new Figures(
            new Figures.Times(1.9, 8.1, 12.0),
            new Figures.Times(7.0, 11.0, 20.0),
            new Figures.Counts(1200, 1500, 1600),
            new Figures.Counts(90_000, 120_000, 130_000),
            new Figures.SentBytes(700_000, 200_000, 90_000),
            11,
            38.5,
            4,
            0,
            1);
    return new VmStatus(
        "ledger",
        "8c3f0a5e-0d3c-4a53-9a2e-3e7f4b9f1c55",
        VmRole.PRIMARY,
        state,
        state == VmState.UNPROTECTED ? "the backup has too little memory" : "",
        Instant.parse("2026-11-01T10:00:00Z"),
        "hv2",
        List.of("hv3"),
        3,
        25,
        200,
        List.of("vda"),
        DiskDurability.JOURNAL,
        "write-protect",
        "nft bridge queue 7400",
        VmStatus.Epochs.ofPrimary(12, 11, 10),
        sync,
        figures,
        null,
        List.of("ARP is not held"));
  }
}
