package io.remus.agent.conductor;

import io.remus.agent.config.AgentConfig;
import io.remus.agent.control.RefusedException;
import io.remus.agent.disk.replica.ReplicaInfo;
import io.remus.agent.disk.replica.ReplicaState;
import io.remus.agent.disk.replica.Replicas;
import io.remus.agent.guest.GuestException;
import io.remus.agent.guest.OwnImages;
import io.remus.agent.nativeio.PlugRules;
import io.remus.agent.term.VmRecord;
import io.remus.agent.term.Wish;
import io.remus.core.control.Copies;
import io.remus.core.control.Copies.Copy;
import io.remus.core.control.Copies.Source;
import io.remus.core.control.DiskDurability;
import io.remus.core.control.EventRecord.Level;
import io.remus.core.control.RecoverRequest;
import io.remus.core.failover.Role;
import io.remus.core.wire.Frame;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Starts a VM from its disks after both its hosts were lost: the RAM is gone, the disks are as
 * after a loss of power. The primary's own are always newer than the replica that it fed.
 */
final class Recovery {
  private static final long ASK_LIMIT_MS = 3_000;

  private final Surroundings around;
  private final Conductor conductor;

  Recovery(Surroundings around, Conductor conductor) {
    this.around = around;
    this.conductor = conductor;
  }

  /** What a peer says; null when it does not answer. */
  private record Answer(String host, Frame.VmRecord record) {}

  /**
   * What this host has of the VM.
   *
   * @param ownIsReplica the disks that it is defined with became the replica
   */
  private record Here(
      String uuid, boolean defined, VmRecord record, ReplicaInfo replica, boolean ownIsReplica) {
    long term() {
      return record == null ? 0 : record.term();
    }
  }

  /** Lists every copy of the VM that this host and its peers know of. */
  Copies copies(String vm) {
    Here here = here(vm);
    return copies(vm, here, ask(here.uuid()));
  }

  private Copies copies(String vm, Here here, List<Answer> answers) {
    List<Copy> copies = new ArrayList<>();
    String host = around.config().host();
    if (here.defined() && !here.ownIsReplica()) {
      copies.add(new Copy(host, Source.PRIMARY, here.term(), null, null, ownRemark(here)));
    }
    if (here.replica() != null) {
      ReplicaInfo replica = here.replica();
      copies.add(
          new Copy(
              host,
              Source.REPLICA,
              replica.term(),
              replica.epoch(),
              replica.committedAt(),
              replicaRemark(replica)));
    }
    answers.forEach(answer -> copies.add(ofPeer(answer)));
    return new Copies(vm, copies);
  }

  private String ownRemark(Here here) {
    if (runs(here.uuid())) {
      return "it runs";
    }
    Role role = here.record() == null ? Role.NONE : here.record().role();
    return switch (role) {
      case SUPERSEDED ->
          "older: a newer copy ran on "
              + here.record().wish().peer()
              + " under term "
              + here.term();
      case ACTIVE -> "took over from " + here.record().wish().peer();
      default -> "its own disks: every write is on them";
    };
  }

  private static String replicaRemark(ReplicaInfo replica) {
    return switch (replica.state()) {
      case SYNCING ->
          "incomplete: a first synchronisation was cut short; nothing can start from it";
      case CONSISTENT -> "the disks of the VM on " + replica.primary() + " at this epoch";
      case ACTIVE -> "the VM's own disks since it took over";
    };
  }

  private static Copy ofPeer(Answer answer) {
    Frame.VmRecord record = answer.record();
    if (record == null) {
      return new Copy(answer.host(), null, 0, null, null, "does not answer");
    }
    if (record.role() == Role.PRIMARY || record.role() == Role.ACTIVE) {
      return new Copy(
          answer.host(), Source.PRIMARY, record.term(), null, null, "protects or runs the VM");
    }
    if (record.epoch() > 0) {
      return new Copy(
          answer.host(),
          Source.REPLICA,
          record.term(),
          record.epoch(),
          Instant.ofEpochMilli(record.committedAtMs()),
          "see `remus recover` there");
    }
    String remark = record.term() == 0 ? "does not know the VM" : "see `remus recover` there";
    return new Copy(answer.host(), null, record.term(), null, null, remark);
  }

  /** Starts the VM; completes when it runs. */
  CompletableFuture<Copies> recover(String vm, RecoverRequest request) {
    Here here = here(vm);
    requireIdle(vm, here);
    List<Answer> answers = ask(here.uuid());
    if (request.from() == Source.PRIMARY) {
      return fromOwnDisks(vm, here, answers, request.force());
    }
    fromReplica(vm, here, answers, request.force());
    return CompletableFuture.completedFuture(copies(vm, here(vm), answers));
  }

  private void requireIdle(String vm, Here here) {
    if (runs(here.uuid())) {
      throw RefusedException.conflict(
          "running", "VM " + vm + " runs on this host", "there is nothing to recover");
    }
    if (conductor.standsBy(vm)) {
      throw RefusedException.conflict(
          "is-standby",
          "this host holds a living standby of VM " + vm,
          "let it take over: remus failover " + vm);
    }
  }

  private CompletableFuture<Copies> fromOwnDisks(
      String vm, Here here, List<Answer> answers, boolean force) {
    if (!here.defined()) {
      throw RefusedException.missing(
          "unknown-vm",
          "libvirt on this host knows no VM '" + vm + "'",
          "recover it where it ran, or here --from replica; see: remus recover " + vm);
    }
    if (here.ownIsReplica()) {
      throw RefusedException.conflict(
          "own-is-replica",
          "the disks of VM %s on this host became the replica of those on %s"
              .formatted(vm, here.replica().primary()),
          "recover it there, or here: remus recover %s --from replica".formatted(vm));
    }
    for (Answer answer : answers) {
      refuseWhenItRunsOn(vm, answer);
      boolean newer = answer.record() != null && answer.record().term() > here.term();
      if (newer && !force) {
        throw RefusedException.conflict(
            "older-copy",
            "%s knows VM %s under term %d, which is newer than %d here"
                .formatted(answer.host(), vm, answer.record().term(), here.term()),
            "recover it there, or add --force to lose what is newer");
      }
      refuseWhenSilent(
          vm, answer, here.record() == null ? null : here.record().wish().peer(), force);
    }
    return conductor
        .letGo(vm, force)
        .thenApply(
            done -> {
              begin(vm, here, Role.NONE, peerOf(here), answers);
              start(vm, here.uuid());
              return copies(vm, here(vm), answers);
            });
  }

  private void fromReplica(String vm, Here here, List<Answer> answers, boolean force) {
    ReplicaInfo replica = here.replica();
    if (replica == null) {
      throw RefusedException.missing(
          "no-replica",
          "this host has no disk replica of VM " + vm,
          "see which hosts have a copy: remus recover " + vm);
    }
    if (replica.state() == ReplicaState.SYNCING) {
      throw RefusedException.conflict(
          "incomplete-replica",
          "the disk replica of VM " + vm + " is incomplete: its synchronisation was cut short",
          "recover the VM on " + replica.primary() + ": remus recover " + vm + " --from primary");
    }
    for (Answer answer : answers) {
      refuseWhenItRunsOn(vm, answer);
      boolean newer =
          answer.host().equals(replica.primary())
              && answer.record() != null
              && answer.record().term() >= replica.term();
      if (newer && !force) {
        throw RefusedException.conflict(
            "older-copy",
            "VM %s ran on %s, whose disks have every write; this replica has those up to epoch %d"
                .formatted(vm, answer.host(), replica.epoch()),
            "recover it there: remus recover %s --from primary; or add --force to lose what is newer"
                .formatted(vm));
      }
      refuseWhenSilent(vm, answer, replica.primary(), force);
    }
    try {
      VmRecord record = begin(vm, here, Role.ACTIVE, replica.primary(), answers);
      Path directory = around.config().disks().directory();
      if (replica.state() == ReplicaState.CONSISTENT) {
        Replicas.activated(directory, here.uuid(), record.term());
        Replicas.list(directory).forEach(around.replicas()::put);
      }
      around.hypervisor().define(replica.xml(), images(replica));
      start(vm, here.uuid());
    } catch (GuestException e) {
      throw refused(vm, e);
    } catch (IOException e) {
      throw RefusedException.conflict(
          "replica-not-written",
          "the record of VM %s's replica cannot be written: %s".formatted(vm, e.getMessage()),
          "make room in " + around.config().disks().directory());
    }
  }

  private static Map<String, Path> images(ReplicaInfo replica) {
    Map<String, Path> images = new HashMap<>();
    replica.disks().forEach(disk -> images.put(disk.target(), disk.path()));
    return images;
  }

  private void refuseWhenItRunsOn(String vm, Answer answer) {
    Frame.VmRecord record = answer.record();
    if (record != null && (record.role() == Role.ACTIVE || record.role() == Role.PRIMARY)) {
      throw RefusedException.conflict(
          "runs-elsewhere",
          "%s says that it has VM %s under term %d".formatted(answer.host(), vm, record.term()),
          "look there first: remus status; remus recover " + vm);
    }
  }

  /** The host that had the other copy does not answer: it may be running. */
  private static void refuseWhenSilent(String vm, Answer answer, String other, boolean force) {
    if (answer.record() == null && answer.host().equals(other) && !force) {
      throw RefusedException.conflict(
          "peer-silent",
          "%s does not answer, so nobody can tell whether it has a newer copy of VM %s, or runs it"
              .formatted(other, vm),
          "bring it back, or add --force when you know that it is off and stays off");
    }
  }

  /** A newer term than anybody's, so that no older copy can pass for this one. */
  private VmRecord begin(String vm, Here here, Role role, String peer, List<Answer> answers) {
    long newest = here.term();
    for (Answer answer : answers) {
      newest = Math.max(newest, answer.record() == null ? 0 : answer.record().term());
    }
    VmRecord record =
        new VmRecord(
            here.uuid(),
            vm,
            newest + 1,
            role,
            here.record() == null ? plainWish(peer) : here.record().wish(),
            VmRecord.NO_QUEUE,
            false,
            role == Role.NONE && here.record() != null && here.record().wanted());
    try {
      around.terms().save(record);
      PlugRules.remove(vm);
    } catch (IOException e) {
      throw RefusedException.conflict("term-not-written", around.notPersisted(vm, e), "");
    }
    return record;
  }

  private Wish plainWish(String peer) {
    var protection = around.config().protection();
    return new Wish(
        peer,
        (int) protection.interval().toMillis(),
        (int) protection.idleInterval().toMillis(),
        false,
        DiskDurability.MEMORY,
        List.of());
  }

  private static String peerOf(Here here) {
    return here.record() == null ? "" : here.record().wish().peer();
  }

  private void start(String vm, String uuid) {
    try {
      around.hypervisor().start(uuid);
      around
          .events()
          .vm(Level.WARNING, vm, "started from its disks on this host; it is not protected");
    } catch (GuestException e) {
      throw refused(vm, e);
    }
  }

  private static RefusedException refused(String vm, GuestException e) {
    return RefusedException.conflict(
        "not-started", "VM %s was not started: %s".formatted(vm, e.getMessage()), e.advice());
  }

  // ---- what is known ----------------------------------------------------------------------------

  private Here here(String vm) {
    ReplicaInfo replica = around.replicas().ofVm(vm).orElse(null);
    Optional<VmRecord> record =
        around.terms().all().stream().filter(r -> r.vm().equals(vm)).findFirst();
    Optional<String> defined = defined(vm);
    String uuid =
        defined
            .or(() -> record.map(VmRecord::uuid))
            .or(() -> Optional.ofNullable(replica).map(ReplicaInfo::uuid))
            .orElseThrow(() -> RefusedException.unknownVm(vm));
    return new Here(
        uuid,
        defined.isPresent(),
        record.orElse(null),
        replica,
        ownIsReplica(vm, uuid, record.map(VmRecord::role).orElse(Role.NONE), replica));
  }

  private boolean ownIsReplica(String vm, String uuid, Role role, ReplicaInfo replica) {
    if (replica == null || replica.state() == ReplicaState.ACTIVE || role == Role.PRIMARY) {
      return false;
    }
    try {
      Collection<Path> own = OwnImages.of(around.hypervisor(), uuid).values();
      return replica.disks().stream().map(ReplicaInfo.Disk::path).anyMatch(own::contains);
    } catch (GuestException e) {
      throw refused(vm, e);
    }
  }

  private Optional<String> defined(String vm) {
    try {
      return around.hypervisor().uuidOf(vm);
    } catch (GuestException e) {
      throw refused(vm, e);
    }
  }

  private boolean runs(String uuid) {
    try {
      return around.hypervisor().runs(uuid);
    } catch (GuestException e) {
      throw refused(uuid, e);
    }
  }

  private List<Answer> ask(String uuid) {
    Map<String, CompletableFuture<PeerInquiry.Answer>> asked = new TreeMap<>();
    for (AgentConfig.Peer config : around.config().peers().values()) {
      Peer peer = new Peer(config);
      asked.put(peer.name(), around.inquiry().ask(peer.paths(), uuid, ASK_LIMIT_MS));
    }
    List<Answer> answers = new ArrayList<>();
    asked.forEach((host, answer) -> answers.add(new Answer(host, record(answer))));
    return answers;
  }

  private static Frame.VmRecord record(CompletableFuture<PeerInquiry.Answer> answer) {
    try {
      PeerInquiry.Answer said = answer.join();
      said.connection().close();
      return said.record();
    } catch (CompletionException e) {
      return null;
    }
  }
}
