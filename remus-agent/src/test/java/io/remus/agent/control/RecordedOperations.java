package io.remus.agent.control;

import io.remus.core.control.AgentInfo;
import io.remus.core.control.Copies;
import io.remus.core.control.DoctorReport;
import io.remus.core.control.Drain;
import io.remus.core.control.DrillRequest;
import io.remus.core.control.DrillState;
import io.remus.core.control.DrillStatus;
import io.remus.core.control.HostInfo;
import io.remus.core.control.ProtectRequest;
import io.remus.core.control.RecoverRequest;
import io.remus.core.control.Switchover;
import io.remus.core.control.VerificationProgress;
import io.remus.core.control.VerificationReport;
import io.remus.core.control.VmRole;
import io.remus.core.control.VmState;
import io.remus.core.control.VmStatus;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Knows one VM, "ledger", and notes what it was asked to do. */
final class RecordedOperations implements Operations {
  final List<String> asked = Collections.synchronizedList(new ArrayList<>());

  /** What the next protect answers; null for a status at once. */
  volatile CompletionStage<VmStatus> protecting;

  @Override
  public List<VmStatus> vms() {
    return List.of(status("ledger"));
  }

  @Override
  public Optional<VmStatus> vm(String name) {
    return name.equals("ledger") ? Optional.of(status(name)) : Optional.empty();
  }

  @Override
  public CompletionStage<VmStatus> protect(String name, ProtectRequest request) {
    asked.add("protect " + name + " " + request);
    return protecting == null ? CompletableFuture.completedStage(status(name)) : protecting;
  }

  @Override
  public CompletionStage<Void> unprotect(String name, boolean force) {
    asked.add("unprotect " + name + (force ? " force" : ""));
    return CompletableFuture.completedStage(null);
  }

  @Override
  public CompletionStage<VmStatus> failover(String name) {
    return CompletableFuture.failedStage(RefusedException.unknownVm(name));
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
    return vm(name)
        .map(
            known ->
                new DrillStatus(
                    name,
                    DrillState.RUNNING,
                    "",
                    Instant.EPOCH,
                    100,
                    41L,
                    Instant.EPOCH,
                    name + "-drill",
                    "remus-drill-" + name,
                    "10.77.0.99/24",
                    Instant.EPOCH));
  }

  @Override
  public CompletionStage<Void> stopDrill(String name) {
    asked.add("stop drill " + name);
    return CompletableFuture.completedStage(null);
  }

  @Override
  public CompletionStage<VerificationReport> verify(String name) {
    asked.add("verify " + name);
    return CompletableFuture.completedStage(
        new VerificationReport(
            name,
            "hv2",
            7,
            true,
            new VerificationReport.Memory(512, 512 << 20, 0, List.of()),
            List.of(),
            1.5));
  }

  @Override
  public Optional<VerificationProgress> verification(String name) {
    return Optional.empty();
  }

  @Override
  public DoctorReport doctor() {
    throw new IllegalStateException("the doctor is ill");
  }

  @Override
  public List<HostInfo> hosts() {
    return List.of(HostInfo.unregistered("hv2"));
  }

  @Override
  public Drain drain() {
    asked.add("drain");
    return new Drain(List.of("ledger"), List.of(new Drain.Left("db", "not protected")));
  }

  @Override
  public void endDrain() {
    asked.add("end of drain");
  }

  @Override
  public AgentInfo info() {
    return new AgentInfo("1.0", "hv1", 42, Instant.EPOCH, 7);
  }

  static VmStatus status(String name) {
    return new VmStatus(
        name,
        "8c3f0a5e-0d3c-4a53-9a2e-3e7f4b9f1c55",
        VmRole.PRIMARY,
        VmState.CONNECTING,
        "",
        Instant.EPOCH,
        "hv2",
        List.of(),
        1,
        25,
        200,
        List.of(),
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        List.of());
  }
}
