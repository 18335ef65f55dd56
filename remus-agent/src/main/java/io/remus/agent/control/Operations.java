package io.remus.agent.control;

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
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * What the control API can ask of the agent. Called on the server's worker threads, several at
 * once; a call may take its time, a stage may complete on any thread.
 *
 * <p>What is refused is a {@link RefusedException}, thrown or completed with.
 */
public interface Operations {
  /** All VMs this host protects or stands by for, ordered by name. */
  List<VmStatus> vms();

  /** One of them; empty when this host has nothing to do with the VM. */
  Optional<VmStatus> vm(String name);

  /** Begins to protect a VM; completes with its first status, before it is protected. */
  CompletionStage<VmStatus> protect(String name, ProtectRequest request);

  /**
   * Ends a VM's protection; completes when its output is released and its rules are gone.
   *
   * @param force also when the backup cannot be told
   */
  CompletionStage<Void> unprotect(String name, boolean force);

  /** Activates the standby on this host; completes when the guest runs here. */
  CompletionStage<VmStatus> failover(String name);

  /** Moves a VM from this host to its backup in order; completes when it runs there. */
  CompletionStage<Switchover> switchover(String name);

  /** This host and its peers, by name. */
  List<HostInfo> hosts();

  /** Moves every VM of this host to its backup, and takes no standby from now on. */
  Drain drain();

  /** Takes standbys again. */
  void endDrain();

  /** Which copies of a VM's disks there are, here and on the peers. */
  Copies copies(String name);

  /** Starts a VM from its disks on this host; completes when it runs. */
  CompletionStage<Copies> recover(String name, RecoverRequest request);

  /** Begins a drill of a VM that this host stands by for; its clone runs some time later. */
  DrillStatus drill(String name, DrillRequest request);

  /** The last drill of a VM, also when it has ended; empty when there was none. */
  Optional<DrillStatus> drill(String name);

  /** Ends a drill; completes when nothing of it is left. */
  CompletionStage<Void> stopDrill(String name);

  /** Compares a protected VM with its standby at one epoch; completes with what was found. */
  CompletionStage<VerificationReport> verify(String name);

  /** How far that is; empty when no comparison is going on. */
  Optional<VerificationProgress> verification(String name);

  /** Looks at every prerequisite of this host. */
  DoctorReport doctor();

  /** Who answers. */
  AgentInfo info();
}
