package io.remus.agent.conductor;

import io.remus.agent.disk.replica.Replica;
import io.remus.agent.disk.replica.ReplicaSpec;
import io.remus.agent.disk.replica.Replicas;
import io.remus.agent.guest.GuestException;
import io.remus.agent.guest.OwnImages;
import io.remus.agent.guest.StandbyGuest;
import io.remus.agent.peer.PeerConnection;
import io.remus.agent.verify.ReplicaVerification;
import io.remus.core.control.EventRecord.Level;
import io.remus.core.wire.DiskImage;
import io.remus.core.wire.Frame;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** The disks of a VM that this host stands by for; none when none is replicated. */
final class StandbyReplica {
  private static final long STALL_LIMIT_NS = 30_000_000_000L;

  private final Surroundings around;
  private final Frame.Prepare prepare;
  private final String primary;
  private Replica replica;
  private final boolean superseded;
  private volatile boolean closed;

  /**
   * @param superseded this host ran the VM until another one took it over
   */
  StandbyReplica(Surroundings around, Frame.Prepare prepare, String primary, boolean superseded) {
    this.around = around;
    this.prepare = prepare;
    this.primary = primary;
    this.superseded = superseded;
  }

  /**
   * Finds or makes the images.
   *
   * @param broken told, on any thread, when committed writes cannot be kept any more
   */
  void open(Consumer<IOException> broken) throws IOException, GuestException {
    if (prepare.disks().isEmpty()) {
      return;
    }
    var config = around.config().disks();
    Map<String, Path> own = ownImages();
    replica =
        Replica.open(
            config.directory(),
            new ReplicaSpec(
                prepare.uuid(),
                prepare.vm(),
                primary,
                prepare.disks(),
                devices(),
                own,
                definition()),
            config.journal(),
            prepare.durability(),
            broken);
    own.values().stream()
        .filter(image -> superseded)
        .forEach(
            image ->
                around
                    .events()
                    .vm(Level.INFO, prepare.vm(), "its old image here is the replica: " + image));
  }

  private Map<String, Path> devices() {
    Map<String, Path> devices = new HashMap<>();
    for (DiskImage disk : prepare.disks()) {
      Path device = around.config().disks().devices().get(prepare.vm() + ":" + disk.target());
      if (device != null) {
        devices.put(disk.target(), device);
      }
    }
    return devices;
  }

  /**
   * Images that the VM ran from here until another host took it over: each is older than the VM by
   * then, and becomes the replica of its disk. Once it is, it stays so.
   */
  private Map<String, Path> ownImages() throws IOException, GuestException {
    Set<Path> kept = Replicas.files(around.config().disks().directory(), prepare.uuid());
    if (!superseded && kept.isEmpty()) {
      return Map.of();
    }
    Map<String, Path> images = new HashMap<>();
    Map<String, Path> found = OwnImages.of(around.hypervisor(), prepare.uuid());
    for (DiskImage disk : prepare.disks()) {
      Path image = found.get(disk.target());
      if (image != null
          && Files.size(image) == disk.bytes()
          && (superseded || kept.contains(image))) {
        images.put(disk.target(), image);
      }
    }
    return images;
  }

  /** What the VM would be defined with here; a transient one is what it is now. */
  private String definition() {
    return prepare.inactiveXml() == null ? prepare.xml() : prepare.inactiveXml();
  }

  /** The VM on these disks. */
  StandbyGuest.Model model() throws GuestException {
    return replica == null ? original() : original().withImages(images());
  }

  /** The VM on the disks that it has on the primary. */
  StandbyGuest.Model original() {
    return new StandbyGuest.Model(
        prepare.vm(), prepare.uuid(), prepare.machine(), prepare.xml(), prepare.inactiveXml());
  }

  private Map<String, Path> images() {
    Map<String, Path> images = new HashMap<>();
    List<Path> paths = replica.images();
    for (int i = 0; i < paths.size(); i++) {
      images.put(prepare.disks().get(i).target(), paths.get(i));
    }
    return images;
  }

  /** The disks; null when none is replicated. */
  Replica disks() {
    return replica;
  }

  /** Tells what the images hold, on a thread of its own: it takes as long as reading them. */
  CompletableFuture<Void> tellHashes(PeerConnection connection) {
    CompletableFuture<Void> told = new CompletableFuture<>();
    if (replica == null) {
      told.complete(null);
      return told;
    }
    Thread thread =
        new Thread(
            () -> {
              try {
                for (int disk = 0; disk < prepare.disks().size(); disk++) {
                  if (!replica.blank(disk)) {
                    replica.hashes(disk, hashes -> send(connection, hashes));
                  }
                }
                told.complete(null);
              } catch (IOException | RuntimeException | Error e) {
                told.completeExceptionally(e);
              }
            },
            "hashes-" + prepare.vm());
    thread.setDaemon(true);
    thread.start();
    return told;
  }

  /** Holes are hashed faster than any link carries the hashes. */
  private void send(PeerConnection connection, Frame hashes) throws IOException {
    try {
      if (closed || !connection.awaitRoom(System.nanoTime() + STALL_LIMIT_NS)) {
        throw new IOException("the connection to " + primary + " is lost");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    connection.sendNow(hashes);
  }

  /**
   * Begins to hash what the images hold, for a comparison.
   *
   * @param wanted a bit for each disk that is to be hashed
   * @param connection to the primary that asks
   */
  ReplicaVerification verify(long wanted, PeerConnection connection) throws IOException {
    BitSet disks = BitSet.valueOf(new long[] {wanted});
    if (replica == null && !disks.isEmpty()) {
      throw new IOException("it has no disks");
    }
    return new ReplicaVerification(
        prepare.vm(),
        disks.isEmpty() ? null : replica.hash(disks),
        frame -> send(connection, frame),
        why -> {
          connection.sendNow(new Frame.Unverified(why));
        });
  }

  /** What is committed stays; the journal has what is not in the images yet. */
  void close() throws IOException {
    closed = true;
    if (replica != null) {
      around.replicas().put(replica.info());
      replica.close();
    }
  }
}
