package io.remus.agent.drill;

import io.remus.agent.commit.MemoryCopy;
import io.remus.agent.guest.GuestException;
import io.remus.agent.guest.RunningGuest;
import io.remus.agent.guest.StandbyGuest;
import io.remus.agent.nativeio.StandbyMemory;
import io.remus.core.control.DrillRequest;
import io.remus.core.control.DrillState;
import io.remus.core.control.DrillStatus;
import io.remus.core.control.EventRecord.Level;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One drill, from the first copied byte to the last removed one. Whatever ends it, it removes what
 * it made; the standby never waits for it.
 */
public final class Drill {
  /** How often it is looked whether the clone still runs, and whether there is room. */
  private static final long LOOK_MS = 1_000;

  private final DrillHost host;
  private final Original original;
  private final DrillRequest request;
  private final String vm;
  private final DrillSite site;
  private final DrillDisks disks;
  private final CompletableFuture<Void> ended = new CompletableFuture<>();

  /** Completed, with the reason, when the drill is to end. */
  private final CompletableFuture<String> end = new CompletableFuture<>();

  private StandbyGuest.Model model;
  private volatile Phase phase = new Phase(DrillState.COPYING, "", Instant.now(), null, null);
  private volatile MemoryCopy memory;

  private record Phase(
      DrillState state, String reason, Instant since, Original.Moment moment, Instant endsAt) {
    Phase then(DrillState next, String why) {
      return new Phase(next, why, Instant.now(), moment, endsAt);
    }
  }

  /** A drill that has made nothing yet. */
  public Drill(DrillHost host, Original original, DrillRequest request) {
    this.host = host;
    this.original = original;
    this.request = request;
    this.vm = original.model().vm();
    this.site = new DrillSite(host, vm, original.model().uuid());
    this.disks = new DrillDisks(site, original);
  }

  /**
   * Looks whether it can be had, makes its network and begins to copy. Takes no longer than some
   * commands; what takes time comes after it, on a thread of its own.
   *
   * @throws DrillException why not, with figures; nothing is left then
   * @throws GuestException the same
   */
  public void start() throws DrillException, GuestException {
    model =
        original
            .model()
            .cloned(site.domain(), site.domainUuid(), disks.images(), disks.variables());
    StandbyGuest.requireRoomForClone(host.hypervisor(), model, original.owedBytes());
    if (site.network().exists()) {
      throw new DrillException(
          "this host has a network namespace %s already".formatted(site.network().name()),
          "remove it: ip netns delete " + site.network().name());
    }
    try {
      site.begin();
      site.network().make(request.address());
      disks.begin();
    } catch (IOException | RuntimeException e) {
      removeAll();
      throw new DrillException(
          "a drill of VM %s cannot be prepared: %s".formatted(vm, e.getMessage()), "");
    } catch (DrillException e) {
      removeAll();
      throw e;
    }
    Thread thread = new Thread(this::run, "drill-" + vm);
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    String reason;
    Level level = Level.INFO;
    try {
      runClone();
      reason = awaitEnd();
    } catch (GuestException | IOException | DrillException | RuntimeException e) {
      reason = end.getNow("the clone did not come to life: " + e.getMessage());
      level = Level.WARNING;
    } catch (InterruptedException e) {
      reason = "its thread was interrupted";
    }
    phase = phase.then(DrillState.ENDING, reason);
    removeAll();
    phase = phase.then(DrillState.ENDED, reason);
    host.events().vm(level, vm, "drill ended: " + reason);
    ended.complete(null);
  }

  private void runClone() throws GuestException, IOException, DrillException, InterruptedException {
    while (disks.step()) {
      expectNoEnd();
    }
    expectNoEnd();
    StandbyGuest.requireRoomForClone(host.hypervisor(), model, original.owedBytes());
    StandbyGuest clone = StandbyGuest.startClone(host.hypervisor(), model, original.ram());
    for (String tap : clone.taps()) {
      site.network().plug(tap);
    }
    Original.Moment moment = feed(clone);
    disks.finish();
    expectNoEnd();
    clone.activate(moment.deviceState(), false);
    Instant now = Instant.now();
    phase = new Phase(DrillState.RUNNING, "", now, moment, now.plusSeconds(request.limitSeconds()));
    host.events()
        .vm(
            Level.INFO,
            vm,
            "drill: a clone of epoch %d runs as %s in network namespace %s"
                .formatted(moment.epoch(), site.domain(), site.network().name()));
  }

  private Original.Moment feed(StandbyGuest clone)
      throws IOException, DrillException, InterruptedException {
    try (StandbyMemory ram = new StandbyMemory(clone.pid(), clone.memory())) {
      ram.blank();
      memory = new MemoryCopy(ram, clone.memory());
      CompletableFuture<Original.Moment> fed = original.feed(memory, disks.copies());
      CompletableFuture<Void> unused = end.thenAccept(original::stopFeeding);
      return fed.get();
    } catch (ExecutionException e) {
      throw new DrillException(e.getCause().getMessage(), "");
    }
  }

  private void expectNoEnd() throws DrillException {
    if (end.isDone()) {
      throw new DrillException(end.getNow(""), "");
    }
  }

  /** Until somebody ends it, the time is over, the clone ended, or there is no room. */
  private String awaitEnd() throws IOException, InterruptedException {
    Instant limit = phase.endsAt();
    String reason = null;
    while (reason == null) {
      long leftMs = Duration.between(Instant.now(), limit).toMillis();
      if (leftMs <= 0) {
        return "its time is over";
      }
      reason = awaitEnd(Math.min(LOOK_MS, leftMs));
    }
    return reason;
  }

  private String awaitEnd(long mostMs) throws IOException, InterruptedException {
    try {
      return end.copy().get(mostMs, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      return !cloneRuns()
          ? "the clone has ended by itself"
          : disks.isFull() ? "disks.directory has less room left than replicas need" : null;
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  private boolean cloneRuns() {
    try {
      return host.hypervisor().runs(site.domainUuid());
    } catch (GuestException e) {
      // libvirt does not answer; it may at the next look.
      return true;
    }
  }

  private void removeAll() {
    try {
      disks.close();
    } catch (IOException e) {
      host.events().vm(Level.WARNING, vm, "while its drill ended: " + e.getMessage());
    }
    site.remove();
  }

  /** Removes what drills of an earlier agent have left. */
  public static void removeLeftovers(DrillHost host) throws IOException {
    DrillSite.removeLeftovers(host);
  }

  /** Where it stands. Any thread. */
  public DrillStatus status() {
    Phase now = phase;
    Original.Moment moment = now.moment();
    return new DrillStatus(
        vm,
        now.state(),
        now.reason(),
        now.since(),
        moment == null ? percent() : 100,
        moment == null ? null : moment.epoch(),
        moment == null ? null : moment.at(),
        site.domain(),
        site.network().name(),
        request.address(),
        now.endsAt());
  }

  private double percent() {
    MemoryCopy copying = memory;
    long done = disks.copiedBytes() + (copying == null ? 0 : copying.copiedBytes());
    long all =
        disks.totalBytes() + original.ram().stream().mapToLong(RunningGuest.Ram::bytes).sum();
    return Math.round(1000.0 * done / all) / 10.0;
  }

  /** Ends it, if it has not ended. Any thread; waits for nothing. */
  public void end(String reason) {
    end.complete(reason);
  }

  /** Completes when nothing of it is left. */
  public CompletableFuture<Void> ended() {
    return ended;
  }
}
