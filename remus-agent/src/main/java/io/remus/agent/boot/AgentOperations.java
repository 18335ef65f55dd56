package io.remus.agent.boot;

import io.remus.agent.conductor.Agent;
import io.remus.agent.config.AgentConfig;
import io.remus.agent.control.Operations;
import io.remus.core.control.AgentInfo;
import io.remus.core.control.Copies;
import io.remus.core.control.DoctorReport;
import io.remus.core.control.Drain;
import io.remus.core.control.DrillRequest;
import io.remus.core.control.DrillStatus;
import io.remus.core.control.HostInfo;
import io.remus.core.control.ProtectRequest;
import io.remus.core.control.RecoverRequest;
import io.remus.core.control.Switchover;
import io.remus.core.control.VerificationProgress;
import io.remus.core.control.VerificationReport;
import io.remus.core.control.VmStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** The control API's view of the agent. */
final class AgentOperations implements Operations {
  private final Agent agent;
  private final AgentConfig config;
  private final Instant started = Instant.now();

  AgentOperations(Agent agent, AgentConfig config) {
    this.agent = agent;
    this.config = config;
  }

  @Override
  public List<VmStatus> vms() {
    return agent.conductor().vms();
  }

  @Override
  public Optional<VmStatus> vm(String name) {
    return vms().stream().filter(vm -> vm.name().equals(name)).findFirst();
  }

  @Override
  public CompletionStage<VmStatus> protect(String name, ProtectRequest request) {
    return agent.protect(name, request);
  }

  @Override
  public CompletionStage<Void> unprotect(String name, boolean force) {
    return agent.conductor().unprotect(name, force);
  }

  @Override
  public CompletionStage<VmStatus> failover(String name) {
    return agent.conductor().failover(name);
  }

  @Override
  public CompletionStage<Switchover> switchover(String name) {
    return agent.conductor().switchover(name);
  }

  @Override
  public List<HostInfo> hosts() {
    return agent.hosts();
  }

  @Override
  public Drain drain() {
    return agent.drain();
  }

  @Override
  public void endDrain() {
    agent.endDrain();
  }

  @Override
  public Copies copies(String name) {
    return agent.copies(name);
  }

  @Override
  public CompletionStage<Copies> recover(String name, RecoverRequest request) {
    return agent.recover(name, request);
  }

  @Override
  public DrillStatus drill(String name, DrillRequest request) {
    return agent.drills().start(name, request);
  }

  @Override
  public Optional<DrillStatus> drill(String name) {
    return agent.drills().status(name);
  }

  @Override
  public CompletionStage<Void> stopDrill(String name) {
    return agent.drills().stop(name);
  }

  @Override
  public CompletionStage<VerificationReport> verify(String name) {
    return agent.conductor().verify(name);
  }

  @Override
  public Optional<VerificationProgress> verification(String name) {
    return agent.conductor().verification(name);
  }

  @Override
  public DoctorReport doctor() {
    return agent.doctor().report();
  }

  @Override
  public AgentInfo info() {
    return new AgentInfo(
        Version.TEXT,
        config.host(),
        ProcessHandle.current().pid(),
        started,
        Duration.between(started, Instant.now()).toSeconds());
  }
}
