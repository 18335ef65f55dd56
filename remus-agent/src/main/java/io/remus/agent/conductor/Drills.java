package io.remus.agent.conductor;

import io.remus.agent.control.RefusedException;
import io.remus.agent.drill.Drill;
import io.remus.agent.drill.DrillException;
import io.remus.agent.drill.DrillHost;
import io.remus.agent.guest.GuestException;
import io.remus.core.control.DrillRequest;
import io.remus.core.control.DrillState;
import io.remus.core.control.DrillStatus;
import io.remus.core.control.EventRecord.Level;
import io.remus.core.control.VmState;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The drills of this host: one for each VM it stands by for, at most. A drill ends with its
 * standby.
 */
public final class Drills {
  private static final long END_LIMIT_S = 30;

  private final DrillHost host;
  private final Conductor conductor;
  private final Map<String, Drill> drills = new ConcurrentHashMap<>();
  private boolean stopping;

  Drills(Surroundings around, Conductor conductor) {
    this.conductor = conductor;
    this.host =
        new DrillHost(
            around.hypervisor(),
            around.events(),
            around.config().stateDirectory().resolve("drills"),
            around.config().disks().directory(),
            around.config().disks().journal());
  }

  /** Before the first drill. */
  void removeLeftovers() {
    try {
      Drill.removeLeftovers(host);
    } catch (IOException e) {
      host.events()
          .host(Level.ERROR, "what drills have left cannot be looked at: " + e.getMessage());
    }
  }

  /** Begins a drill; the clone runs some time later. */
  public synchronized DrillStatus start(String vm, DrillRequest request) {
    if (stopping) {
      throw RefusedException.conflict(
          "stopping", "the agent is stopping", "try again when it runs");
    }
    StandbyVm standby = conductor.readyStandby(vm);
    Drill before = drills.get(vm);
    if (before != null && before.status().state() != DrillState.ENDED) {
      throw RefusedException.conflict(
          "drill-runs",
          "a drill of VM %s is %s already".formatted(vm, before.status().state().word()),
          "end it: remus drill " + vm + " --stop");
    }
    Drill drill = new Drill(host, standby.original(), request);
    try {
      drill.start();
    } catch (GuestException e) {
      throw RefusedException.conflict("no-drill", e.getMessage(), e.advice());
    } catch (DrillException e) {
      throw RefusedException.conflict("no-drill", e.getMessage(), e.advice());
    }
    drills.put(vm, drill);
    standby.ended().thenRun(() -> drill.end(whyWithStandby(standby)));
    return drill.status();
  }

  private static String whyWithStandby(StandbyVm standby) {
    VmView view = standby.view();
    return view.state() == VmState.ACTIVE
        ? "VM %s was taken over".formatted(standby.vm())
        : "the standby of VM %s is gone: %s".formatted(standby.vm(), view.reason());
  }

  /** The drill of a VM, also when it has ended; empty when there was none since the agent began. */
  public Optional<DrillStatus> status(String vm) {
    return Optional.ofNullable(drills.get(vm)).map(Drill::status);
  }

  /** Ends a drill; completes when nothing of it is left. */
  public CompletableFuture<Void> stop(String vm) {
    Drill drill = drills.get(vm);
    if (drill == null) {
      throw RefusedException.noDrill(vm);
    }
    drill.end("it was stopped");
    return drill
        .ended()
        .copy()
        .orTimeout(END_LIMIT_S, TimeUnit.SECONDS)
        .exceptionally(
            late -> {
              throw RefusedException.conflict(
                  "drill-ends",
                  "the drill of VM %s is still being removed".formatted(vm),
                  "see `remus events`");
            });
  }

  /** The agent stops: no drill outlives it. */
  synchronized void end() {
    stopping = true;
    drills.values().forEach(drill -> drill.end("the agent is stopping"));
  }

  /** Waits, within limits, until nothing is left. */
  void awaitEnd() {
    CompletableFuture<?>[] all =
        drills.values().stream().map(Drill::ended).toArray(CompletableFuture<?>[]::new);
    try {
      CompletableFuture.allOf(all).get(END_LIMIT_S, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      host.events().host(Level.WARNING, "stopped before every drill was removed");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }
}
