package io.remus.agent.disk.replica;

import io.remus.core.wire.DiskImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A replica's directory and images, made ready: recovered, created, checked, open.
 *
 * @param record what is on disk
 * @param fresh what will be on disk when a synchronisation begins
 * @param blank images that were made anew, by disk
 * @param nextSegment a number that no segment had
 */
record OpenedReplica(
    ReplicaSpec spec,
    Path directory,
    RecordFile record,
    ReplicaRecord fresh,
    List<ImageFile> files,
    List<Boolean> blank,
    long nextSegment) {
  private static final Logger LOG = LoggerFactory.getLogger(OpenedReplica.class);

  static OpenedReplica open(Storage storage, Path all, ReplicaSpec spec) throws IOException {
    Path directory = all.resolve(spec.uuid());
    storage.makeDirectory(directory);
    storage.forceDirectory(all);
    ReplicaRecord fresh = fresh(spec, directory);
    for (Path device : spec.devices().values()) {
      refuseNoDevice(storage, spec, device);
    }
    for (DiskImage disk : spec.disks()) {
      if (spec.place(disk.target()).isPresent()) {
        refuseTaken(storage, all, spec, spec.place(disk.target()).get());
      }
    }
    RecordFile record = new RecordFile(storage, directory);
    long nextSegment = nextSegment(storage, directory);
    boolean known = recover(storage, directory, spec.vm(), record);
    List<Boolean> blank = new ArrayList<>();
    for (int i = 0; i < spec.disks().size(); i++) {
      blank.add(mustBeMade(storage, spec, spec.disks().get(i), fresh.disks().get(i)));
    }
    refuseBadImages(storage, fresh, blank);
    if (!known || !record.current().disks().equals(fresh.disks()) || blank.contains(true)) {
      record.update(before -> fresh);
    }
    for (int i = 0; i < blank.size(); i++) {
      if (blank.get(i)) {
        storage.createImage(Path.of(fresh.disks().get(i).path()), spec.disks().get(i).bytes());
      }
    }
    storage.forceDirectory(directory);
    return new OpenedReplica(
        spec,
        directory,
        record,
        fresh,
        ImageFiles.open(storage, spec.vm(), fresh.disks()),
        blank,
        nextSegment);
  }

  Journal journal(Storage storage, long limitBytes) {
    return new Journal(
        storage, directory, UUID.fromString(spec.uuid()), spec.disks(), limitBytes, nextSegment);
  }

  private static ReplicaRecord fresh(ReplicaSpec spec, Path directory) {
    List<ReplicaRecord.Disk> disks =
        spec.disks().stream()
            .map(
                disk ->
                    new ReplicaRecord.Disk(
                        disk.target(),
                        disk.bytes(),
                        spec.place(disk.target())
                            .orElse(directory.resolve(disk.target() + ".raw"))
                            .toString()))
            .toList();
    return new ReplicaRecord(
        ReplicaRecord.VERSION,
        spec.uuid(),
        spec.vm(),
        spec.primary(),
        disks,
        ReplicaState.SYNCING,
        CommitPoint.NONE,
        0,
        spec.xml());
  }

  private static void refuseNoDevice(Storage storage, ReplicaSpec spec, Path device)
      throws IOException {
    if (!storage.exists(device) || !storage.identify(device).device()) {
      throw new ReplicaException(spec.vm(), device + " is no block device on this host");
    }
  }

  /** By another VM's replica. */
  private static void refuseTaken(Storage storage, Path all, ReplicaSpec spec, Path place)
      throws IOException {
    for (ReplicaRecord other : Replicas.records(storage, all)) {
      for (ReplicaRecord.Disk disk : other.disks()) {
        Path path = Path.of(disk.path());
        if (!other.uuid().equals(spec.uuid())
            && storage.exists(path)
            && storage.identify(path).equals(storage.identify(place))) {
          throw new ReplicaException(
              spec.vm(),
              "%s holds disk %s of VM %s; give each disk a place of its own"
                  .formatted(place, disk.target(), other.vm()));
        }
      }
    }
  }

  private static long nextSegment(Storage storage, Path directory) throws IOException {
    SortedMap<Long, Path> segments = SegmentNames.list(storage, directory);
    return segments.isEmpty() ? 1 : segments.lastKey() + 1;
  }

  /** Returns false when nothing is known of what the images hold. */
  private static boolean recover(Storage storage, Path directory, String vm, RecordFile record)
      throws IOException {
    if (!record.exists()) {
      return false;
    }
    try {
      record.read();
    } catch (IOException e) {
      LOG.warn("replica of VM {} begins anew", vm, e);
      return false;
    }
    try {
      Recovery.run(storage, directory, record);
    } catch (DamagedJournalException e) {
      LOG.warn("replica of VM {} begins anew", vm, e);
      record.update(ReplicaRecord::syncing);
    }
    return true;
  }

  private static boolean mustBeMade(
      Storage storage, ReplicaSpec spec, DiskImage disk, ReplicaRecord.Disk as) throws IOException {
    Path path = Path.of(as.path());
    if (spec.place(disk.target()).isPresent()) {
      return false;
    }
    if (!storage.exists(path)) {
      return true;
    }
    try (ImageFile image = storage.openImage(path, false)) {
      return image.size() != disk.bytes();
    }
  }

  /** Before anything is written, so that a refusal leaves no trace. */
  private static void refuseBadImages(Storage storage, ReplicaRecord fresh, List<Boolean> blank)
      throws IOException {
    List<ReplicaRecord.Disk> kept = new ArrayList<>();
    for (int i = 0; i < blank.size(); i++) {
      ReplicaRecord.Disk disk = fresh.disks().get(i);
      if (!blank.get(i)) {
        kept.add(disk);
      } else if (storage.exists(Path.of(disk.path()))) {
        ImageFiles.refuseUsed(storage, fresh.vm(), Path.of(disk.path()));
      }
    }
    for (ImageFile file : ImageFiles.open(storage, fresh.vm(), kept)) {
      file.close();
    }
  }
}
