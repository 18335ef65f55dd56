package io.remus.agent.conductor;

import io.remus.agent.config.AgentConfig;
import io.remus.agent.control.RefusedException;
import io.remus.agent.guest.GuestException;
import io.remus.agent.guest.RunningGuest;
import io.remus.agent.peer.FrameListener;
import io.remus.agent.peer.PeerConnection;
import io.remus.agent.term.VmRecord;
import io.remus.agent.term.Wish;
import io.remus.core.control.DiskDurability;
import io.remus.core.control.EventRecord.Level;
import io.remus.core.control.ProtectRequest;
import io.remus.core.control.Switchover;
import io.remus.core.control.VerificationProgress;
import io.remus.core.control.VerificationReport;
import io.remus.core.control.VmRole;
import io.remus.core.control.VmState;
import io.remus.core.control.VmStatus;
import io.remus.core.epoch.Term;
import io.remus.core.failover.ArbiterKind;
import io.remus.core.failover.Role;
import io.remus.core.primary.PrimaryEvent;
import io.remus.core.standby.StandbyEvent;
import io.remus.core.wire.Frame;
import io.remus.core.wire.RefusalCode;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Knows which VMs this host is primary of and which it stands by for, and takes requests to them.
 */
public final class Conductor {
  private static final long FAILOVER_LIMIT_S = 30;
  private static final long UNPROTECT_LIMIT_S = 30;
  private static final long DRAIN_LIMIT_S = 20;

  private final Surroundings around;
  private final Admission admission;
  private final Map<String, PrimaryVm> primaries = new ConcurrentHashMap<>();
  private final Map<String, StandbyVm> standbys = new ConcurrentHashMap<>();
  private final Set<String> opening = ConcurrentHashMap.newKeySet();
  private volatile boolean stopping;
  private volatile boolean draining;
  private volatile Consumer<String> onLoss = uuid -> {};
  private volatile Consumer<String> onMove = uuid -> {};
  private volatile Consumer<String> onOutgrown = uuid -> {};

  Conductor(Surroundings around) {
    this.around = around;
    this.admission = new Admission(around);
  }

  /** Told the UUID of a VM whose protection was lost, or whose primary was, on its lane. */
  void onLoss(Consumer<String> listener) {
    onLoss = listener;
  }

  /** Told the UUID of a VM that another host handed over to this one, on its lane. */
  void onMove(Consumer<String> listener) {
    onMove = listener;
  }

  /** Told the UUID of a VM whose standby did not fit it any more, on its lane. */
  void onOutgrown(Consumer<String> listener) {
    onOutgrown = listener;
  }

  // ---- requests of the admin, on worker threads -------------------------------------------------

  /** Every VM this host has to do with, by name. */
  public List<VmStatus> vms() {
    Map<String, VmStatus> byName = new TreeMap<>();
    for (VmRecord record : around.terms().all()) {
      if (record.role() == Role.ACTIVE || (record.role() == Role.NONE && record.wanted())) {
        byName.put(record.vm(), ofRecord(record));
      }
    }
    standbys.values().forEach(s -> byName.put(s.vm(), s.status()));
    primaries.values().forEach(p -> byName.put(p.vm(), p.status()));
    return List.copyOf(byName.values());
  }

  /** A VM that runs here and has no backup now. */
  private static VmStatus ofRecord(VmRecord record) {
    boolean tookOver = record.role() == Role.ACTIVE;
    String peer = record.wish().peer();
    return new VmStatus(
        record.vm(),
        record.uuid(),
        tookOver ? VmRole.STANDBY : VmRole.PRIMARY,
        tookOver ? VmState.ACTIVE : VmState.UNPROTECTED,
        tookOver
            ? "took over from " + peer + "; not protected"
            : "not protected by " + peer + " yet",
        Instant.now(),
        record.wish().peer(),
        record.wish().spares(),
        record.term(),
        record.wish().intervalMs(),
        record.wish().idleIntervalMs(),
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

  /** Begins to protect a VM; completes when the backup's standby is ready. */
  public CompletableFuture<VmStatus> protect(String name, ProtectRequest request) {
    int intervalMs = milliseconds(request.intervalMs(), around.config().protection().interval());
    int idleIntervalMs =
        Math.max(
            intervalMs,
            milliseconds(request.idleIntervalMs(), around.config().protection().idleInterval()));
    boolean withoutDisks = ProtectRequest.DISK_NONE.equals(request.disk());
    DiskDurability durability =
        request.diskDurability() == null ? DiskDurability.MEMORY : request.diskDurability();
    request.spares().stream()
        .filter(spare -> !spare.equals(ProtectRequest.AUTO))
        .forEach(this::peer);
    if (!request.spares().isEmpty() && around.arbiter().kind() == ArbiterKind.NONE) {
      throw RefusedException.conflict(
          "spare-needs-arbiter",
          "VM %s cannot have a spare: without an arbiter nobody knows whether a backup that does not answer runs the VM"
              .formatted(name),
          "configure an [arbiter], or protect it without --spare");
    }
    return protect(
        name,
        new Wish(
            request.backup(),
            intervalMs,
            idleIntervalMs,
            withoutDisks,
            durability,
            request.spares()));
  }

  private static int milliseconds(Integer asked, Duration configured) {
    return asked != null ? asked : (int) configured.toMillis();
  }

  CompletableFuture<VmStatus> protect(String name, Wish wish) {
    if (stopping) {
      throw RefusedException.conflict(
          "stopping", "the agent is stopping", "try again when it runs");
    }
    Peer peer = peer(wish.peer());
    if (!opening.add(name)) {
      throw alreadyProtected(name);
    }
    try {
      PrimaryVm vm = open(name, peer, wish);
      primaries.put(name, vm);
      standbys.remove(name);
      vm.ended().thenRun(() -> lost(vm));
      vm.start();
      return vm.accepted()
          .handle(
              (done, failure) -> {
                if (failure != null) {
                  primaries.remove(name, vm);
                  throw refused((GuestException) Causes.root(failure));
                }
                return vm.status();
              });
    } finally {
      opening.remove(name);
    }
  }

  /** What was refused is not tried again behind the admin's back. */
  private void lost(PrimaryVm vm) {
    boolean begun = vm.accepted().isDone() && !vm.accepted().isCompletedExceptionally();
    if (begun && !stopping && vm.view().state() == VmState.UNPROTECTED) {
      (vm.outgrown() ? onOutgrown : onLoss).accept(vm.uuid());
    }
  }

  /** Whether this host protects the VM or is about to. */
  boolean isProtecting(String name) {
    PrimaryVm vm = primaries.get(name);
    return vm != null && vm.view().state() != VmState.UNPROTECTED && !vm.ended().isDone();
  }

  private PrimaryVm open(String name, Peer peer, Wish wish) {
    PrimaryVm known = primaries.get(name);
    boolean alone = known != null && known.view().state() == VmState.UNPROTECTED;
    if (known != null && !alone && !known.ended().isDone()) {
      throw alreadyProtected(name);
    }
    StandbyVm standby = standbys.get(name);
    if (standby != null && standby.view().state() != VmState.ACTIVE) {
      throw RefusedException.conflict(
          "is-standby",
          "this host holds the standby of VM " + name,
          "protect it on the host that runs it, " + standby.status().peer());
    }
    admission.requireSomebodyToAsk(name, peer);
    RunningGuest guest = null;
    try {
      guest = RunningGuest.open(around.hypervisor(), name, wish.withoutDisks());
      admission.requireOutputHeld(guest);
      Term term = admission.newTerm(guest, peer);
      if (alone) {
        // The peer was asked just now: nothing newer is left to watch for.
        known.tell(new PrimaryEvent.StopRequested());
        limited(known.ended(), UNPROTECT_LIMIT_S).join();
      }
      PrimaryVm opened = PrimaryVm.protecting(around, guest, peer, term, wish);
      guest = null;
      return opened;
    } catch (GuestException e) {
      throw refused(e);
    } finally {
      if (guest != null) {
        guest.close();
      }
    }
  }

  private Peer peer(String name) {
    AgentConfig.Peer config = around.config().peers().get(name);
    if (config == null) {
      throw RefusedException.missing(
          "unknown-host",
          "no host '%s' is configured; known are: %s"
              .formatted(name, String.join(", ", new TreeMap<>(around.config().peers()).keySet())),
          "add [peers." + name + "] to the configuration and restart the agent");
    }
    return new Peer(config);
  }

  private RefusedException alreadyProtected(String name) {
    PrimaryVm known = primaries.get(name);
    String to = known == null ? "" : " by " + known.status().peer();
    return RefusedException.conflict(
        "already-protected",
        "VM " + name + " is protected already" + to,
        "see `remus status " + name + "`; to change the backup, unprotect it first");
  }

  static RefusedException refused(GuestException e) {
    String code = e.kind().name().toLowerCase(Locale.ROOT).replace('_', '-');
    return e.kind() == GuestException.Kind.UNKNOWN_VM
        ? RefusedException.missing(code, e.getMessage(), e.advice())
        : RefusedException.conflict(code, e.getMessage(), e.advice());
  }

  /** Ends protection; completes when nothing of it is left on this host. */
  public CompletableFuture<Void> unprotect(String name, boolean force) {
    if (!primaries.containsKey(name) && forgetWish(name)) {
      return CompletableFuture.completedFuture(null);
    }
    PrimaryVm vm = primary(name);
    vm.record().unwanted();
    vm.tell(force ? new PrimaryEvent.StopForced() : new PrimaryEvent.StopRequested());
    return limited(vm.ended(), UNPROTECT_LIMIT_S)
        .handle(
            (done, failure) -> {
              if (failure != null) {
                throw RefusedException.conflict(
                    "still-" + vm.view().state().word(),
                    "protection of VM %s has not ended: %s".formatted(name, vm.view().reason()),
                    "bring the backup back, or if you know that it is off: remus unprotect "
                        + name
                        + " --force");
              }
              forget(vm);
              return null;
            });
  }

  /** A VM that waits to be protected again. */
  private boolean forgetWish(String name) {
    for (VmRecord record : around.terms().all()) {
      boolean alone = record.role() == Role.NONE || record.role() == Role.ACTIVE;
      if (record.vm().equals(name) && alone && record.wanted()) {
        saveUnwanted(record);
        return true;
      }
    }
    return false;
  }

  private void forget(PrimaryVm vm) {
    primaries.remove(vm.vm(), vm);
    around.terms().find(vm.uuid()).filter(VmRecord::wanted).ifPresent(this::saveUnwanted);
  }

  private void saveUnwanted(VmRecord record) {
    try {
      around.terms().save(record.unwanted());
    } catch (IOException e) {
      throw new CompletionException(e);
    }
  }

  /** Whether this host holds a living standby of the VM. */
  boolean standsBy(String name) {
    StandbyVm standby = standbys.get(name);
    return standby != null && !standby.ended().isDone();
  }

  /** Ends what is left of a protection whose guest is gone; by force without the backup's word. */
  CompletableFuture<Void> letGo(String name, boolean force) {
    PrimaryVm vm = primaries.get(name);
    return vm == null || vm.ended().isDone()
        ? CompletableFuture.completedFuture(null)
        : unprotect(name, force);
  }

  private PrimaryVm primary(String name) {
    PrimaryVm vm = primaries.get(name);
    if (vm != null) {
      return vm;
    }
    StandbyVm standby = standbys.get(name);
    if (standby != null && standby.view().state() != VmState.ACTIVE) {
      throw RefusedException.conflict(
          "is-standby",
          "this host holds the standby of VM " + name,
          "unprotect it on " + standby.status().peer());
    }
    throw RefusedException.unknownVm(name);
  }

  /** The standby of a VM, when it could take over now. */
  StandbyVm readyStandby(String name) {
    StandbyVm standby = standbys.get(name);
    if (standby != null && standby.view().state() == VmState.STANDBY) {
      return standby;
    }
    PrimaryVm vm = primaries.get(name);
    if (vm != null) {
      String backup = vm.status().peer();
      throw RefusedException.conflict(
          "is-primary",
          "VM %s runs on this host; its standby is on %s".formatted(name, backup),
          "run it on " + backup);
    }
    if (standby == null) {
      throw RefusedException.unknownVm(name);
    }
    throw RefusedException.conflict(
        "not-ready",
        "VM %s is '%s' here: %s"
            .formatted(name, standby.view().state().word(), standby.view().reason()),
        "wait until `remus status " + name + "` says 'standby'");
  }

  /** Makes the backup run the VM, from either host. */
  public CompletableFuture<VmStatus> failover(String name) {
    StandbyVm standby = standbys.get(name);
    if (standby != null) {
      standby.tell(new StandbyEvent.FailoverRequested());
      return limited(standby.activated(), FAILOVER_LIMIT_S)
          .handle((done, failure) -> failedOver(name, failure, standby.status()));
    }
    PrimaryVm vm = protectedVm(name, "there is no standby to fail over to");
    vm.tell(new PrimaryEvent.FailoverRequested());
    return limited(vm.ended(), FAILOVER_LIMIT_S)
        .handle((done, failure) -> failedOver(name, failure, vm.status()));
  }

  private PrimaryVm protectedVm(String name, String advice) {
    PrimaryVm vm = primary(name);
    if (vm.view().state() != VmState.PROTECTED) {
      throw RefusedException.conflict(
          "not-protected",
          "VM %s is '%s', not protected: %s"
              .formatted(name, vm.view().state().word(), vm.view().reason()),
          advice);
    }
    return vm;
  }

  /** Compares a protected VM with its standby; completes with what was found. */
  public CompletableFuture<VerificationReport> verify(String name) {
    PrimaryVm vm = protectedVm(name, "there is no standby to compare with");
    return vm.verify()
        .handle(
            (report, failure) -> {
              if (failure != null) {
                throw RefusedException.conflict(
                    "not-verified",
                    "VM %s was not verified: %s".formatted(name, Causes.message(failure)),
                    "see `remus status " + name + "`");
              }
              around
                  .events()
                  .vm(
                      report.equal() ? Level.INFO : Level.ERROR,
                      name,
                      VerificationWords.of(report));
              return report;
            });
  }

  /** How far that is; empty when no comparison is going on. */
  public Optional<VerificationProgress> verification(String name) {
    return Optional.ofNullable(primaries.get(name)).flatMap(PrimaryVm::verification);
  }

  /** Moves a VM to its backup in order, on the host that runs it. */
  public CompletableFuture<Switchover> switchover(String name) {
    StandbyVm standby = standbys.get(name);
    if (standby != null && standby.view().state() != VmState.ACTIVE) {
      throw RefusedException.conflict(
          "is-standby",
          "this host holds the standby of VM " + name,
          "run it on " + standby.peer() + ", which runs the VM: remus switchover " + name);
    }
    PrimaryVm vm = protectedVm(name, "wait until `remus status " + name + "` says protected");
    requireRuns(vm);
    return vm.switchOver()
        .copy()
        .orTimeout(FAILOVER_LIMIT_S, TimeUnit.SECONDS)
        .exceptionally(
            failure -> {
              throw RefusedException.conflict(
                  "switchover-failed",
                  "VM %s was not switched over: %s".formatted(name, vm.view().reason()),
                  "see `remus status %s` and `remus events` on both hosts".formatted(name));
            });
  }

  /** Moved, a guest that its admin has paused would run. */
  private void requireRuns(PrimaryVm vm) {
    try {
      if (around.hypervisor().isStopped(vm.uuid(), vm.vm())) {
        throw RefusedException.conflict(
            "not-running", "VM " + vm.vm() + " is paused", "resume it: virsh resume " + vm.vm());
      }
    } catch (GuestException e) {
      throw refused(e);
    }
  }

  private static VmStatus failedOver(String name, Throwable failure, VmStatus status) {
    if (failure != null) {
      throw RefusedException.conflict(
          "failover-failed",
          "VM %s was not taken over: %s".formatted(name, status.reason()),
          "see `remus events` on both hosts");
    }
    return status;
  }

  private static CompletableFuture<Void> limited(CompletableFuture<Void> stage, long seconds) {
    return stage.copy().orTimeout(seconds, TimeUnit.SECONDS);
  }

  // ---- peers, on event loops --------------------------------------------------------------------

  /** Takes over a connection that a peer made. */
  public FrameListener accept(PeerConnection connection) {
    if (!around.config().peers().containsKey(connection.peerName())) {
      connection.close(
          new Frame.Refused(
              RefusalCode.NOT_ALLOWED,
              "this host has no [peers.%s] in its configuration".formatted(connection.peerName())));
      return FrameListeners.DEAF;
    }
    return switch (connection.purpose()) {
      case REPLICATE -> new FirstPrepare(connection, this::standby);
      case QUERY -> new QueryAnswers(connection, this);
    };
  }

  /** A primary wants a standby here. Returns who hears it from now on; refuses by closing. */
  private synchronized FrameListener standby(Frame.Prepare prepare, PeerConnection connection) {
    String refusal = null;
    RefusalCode code = RefusalCode.OTHER;
    long known = around.terms().find(prepare.uuid()).map(VmRecord::term).orElse(0L);
    StandbyVm existing = standbys.get(prepare.vm());
    PrimaryVm primary = primaries.get(prepare.vm());
    if (stopping) {
      code = RefusalCode.STOPPING;
      refusal = "the agent is stopping";
    } else if (draining) {
      code = RefusalCode.STOPPING;
      refusal = "the host is drained for maintenance, until its agent starts again";
    } else if (primary != null && !primary.ended().isDone()) {
      code = RefusalCode.VM_EXISTS;
      refusal = "this host protects a VM of that name itself";
    } else if (isKnown(prepare.uuid(), prepare.vm())) {
      code = RefusalCode.VM_EXISTS;
      refusal = "this host has a VM of that UUID under another name";
    } else if (existing != null && !existing.ended().isDone()) {
      code = RefusalCode.ALREADY_STANDBY;
      refusal = "a standby of that VM is here already, of " + existing.status().peer();
    } else if (prepare.term() <= known) {
      code = RefusalCode.STALE_TERM;
      refusal =
          "term %d is not newer than %d, which is known here".formatted(prepare.term(), known);
    }
    if (refusal != null) {
      String message =
          "%s refuses a standby of VM %s: %s"
              .formatted(around.config().host(), prepare.vm(), refusal);
      around.events().vm(Level.WARNING, prepare.vm(), message);
      connection.close(new Frame.Refused(code, message));
      return FrameListeners.DEAF;
    }
    StandbyVm vm =
        new StandbyVm(
            around,
            prepare,
            peer(connection.peerName()),
            connection,
            () -> owedToOthers(prepare.vm()));
    standbys.put(prepare.vm(), vm);
    primaries.remove(prepare.vm());
    vm.ended()
        .thenRun(
            () -> {
              if (vm.view().state() != VmState.ACTIVE) {
                standbys.remove(vm.vm(), vm);
              } else if (!stopping) {
                (vm.wasHandedOver() ? onMove : onLoss).accept(vm.uuid());
              }
            });
    return vm.start();
  }

  /** Whether this host takes standbys. */
  void drain(boolean on) {
    draining = on;
    around
        .events()
        .host(Level.INFO, on ? "takes no standby any more: it is drained" : "takes standbys again");
  }

  boolean isDraining() {
    return draining;
  }

  /** Tells the primaries of all standbys here to look for another backup. */
  void giveStandbysUp() {
    standbys
        .values()
        .forEach(
            standby ->
                standby.tell(
                    new StandbyEvent.StandbyLost(
                        around.config().host() + " is drained for maintenance")));
  }

  /** The VMs that this host runs and protects. */
  List<String> primaryNames() {
    return primaries.keySet().stream().filter(this::isProtecting).sorted().toList();
  }

  /** The VMs that this host stands by for. */
  List<String> standbyNames() {
    return standbys.keySet().stream().filter(this::standsBy).sorted().toList();
  }

  /** Memory of this host that is promised to standbys and not taken yet, in bytes. */
  long owedBytes() {
    return owedToOthers("");
  }

  /** RAM that standbys were promised and have not touched yet looks free, and is not. */
  private long owedToOthers(String vm) {
    return standbys.values().stream()
        .filter(standby -> !standby.vm().equals(vm))
        .mapToLong(StandbyVm::owedBytes)
        .sum();
  }

  private boolean isKnown(String uuid, String name) {
    return standbys.values().stream()
            .anyMatch(s -> s.uuid().equals(uuid) && !s.vm().equals(name) && !s.ended().isDone())
        || primaries.values().stream()
            .anyMatch(p -> p.uuid().equals(uuid) && !p.vm().equals(name) && !p.ended().isDone());
  }

  /** What this host is to a VM, for a peer that asks. */
  Frame.VmRecord know(String uuid) {
    for (StandbyVm vm : standbys.values()) {
      if (vm.uuid().equals(uuid)) {
        return record(vm.view());
      }
    }
    for (PrimaryVm vm : primaries.values()) {
      if (vm.uuid().equals(uuid)) {
        return record(vm.view());
      }
    }
    return around
        .terms()
        .find(uuid)
        .map(r -> new Frame.VmRecord(r.term(), r.role()))
        .map(r -> around.replicas().with(uuid, r))
        .orElse(new Frame.VmRecord(0, Role.NONE));
  }

  private static Frame.VmRecord record(VmView view) {
    return new Frame.VmRecord(view.term().number(), view.role());
  }

  /** A primary that lost its connection speaks to its standby over another one. */
  void tellStandby(String uuid, PeerConnection from, StandbyEvent event) {
    for (StandbyVm vm : standbys.values()) {
      if (vm.uuid().equals(uuid) && vm.peer().equals(from.peerName()) && !vm.ended().isDone()) {
        vm.tellFrom(from, event);
        return;
      }
    }
    from.sendNow(know(uuid));
  }

  // ---- libvirt, on its event thread -------------------------------------------------------------

  /** A domain of this host ended. */
  public void guestEnded(String name, boolean crashed, String detail) {
    PrimaryVm vm = primaries.get(name);
    if (vm != null) {
      vm.guestEnded(crashed, detail);
      return;
    }
    StandbyVm standby = standbys.get(name);
    if (standby != null) {
      standby.tell(new StandbyEvent.StandbyLost("the standby's QEMU ended: " + detail));
    }
  }

  // ---- start and stop of the agent --------------------------------------------------------------

  /** Goes on with a VM that an earlier agent on this host did not release. */
  void resume(VmRecord record) {
    PrimaryVm vm = PrimaryVm.returning(around, record, peer(record.wish().peer()));
    primaries.put(record.vm(), vm);
    vm.start();
  }

  /** Completes when a returning VM's fate is known. */
  CompletableFuture<VmState> fate(String name) {
    PrimaryVm vm = primaries.get(name);
    return vm == null
        ? CompletableFuture.completedFuture(VmState.UNPROTECTED)
        : vm.ended().thenApply(done -> vm.view().state());
  }

  /**
   * Ends everything in order: guests keep running, held output is released once the backup has
   * given its standby up. What cannot be ended in time stays fenced, which is safe.
   */
  public void stop() {
    stopping = true;
    // One that goes on alone and still watches for a newer copy does so again after the restart.
    List<PrimaryVm> held =
        primaries.values().stream().filter(vm -> vm.view().state() != VmState.UNPROTECTED).toList();
    held.forEach(vm -> vm.tell(new PrimaryEvent.StopRequested()));
    standbys.values().forEach(StandbyVm::agentStops);
    CompletableFuture<?>[] ends =
        Stream.concat(
                held.stream().map(PrimaryVm::ended),
                standbys.values().stream().map(StandbyVm::ended))
            .toArray(CompletableFuture<?>[]::new);
    try {
      CompletableFuture.allOf(ends).get(DRAIN_LIMIT_S, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      around
          .events()
          .host(Level.WARNING, "stopped before every VM was released; their output stays held");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }
}
