package io.remus.agent.disk.replica;

import io.remus.agent.nativeio.NativeException;
import io.remus.agent.nativeio.SparseFile;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The replicas on this host, those of VMs that nobody protects now among them. */
public final class Replicas {
  private static final Logger LOG = LoggerFactory.getLogger(Replicas.class);

  /**
   * What became of one replica at the start of an agent.
   *
   * @param uuid of the VM
   * @param info what is known of it; null when its record cannot be read
   * @param epochs replayed from its journal
   * @param problem null when there was none: otherwise nothing was changed, and a VM must not run
   *     from the images
   */
  public record Recovered(String uuid, ReplicaInfo info, long epochs, IOException problem) {}

  private Replicas() {}

  /**
   * Brings all replicas that are consistent to their last committed epoch, on disk. Those that were
   * being synchronised are reported as they are, and those that a guest has written are left alone.
   *
   * @param directory of all replicas on this host
   * @throws IOException when it cannot be listed
   */
  public static List<Recovered> recover(Path directory) throws IOException {
    return recover(new FileStorage(), directory);
  }

  static List<Recovered> recover(Storage storage, Path directory) throws IOException {
    List<Recovered> all = new ArrayList<>();
    for (Path one : storage.list(directory)) {
      if (new RecordFile(storage, one).exists()) {
        all.add(recoverOne(storage, one));
      }
    }
    return all;
  }

  private static Recovered recoverOne(Storage storage, Path directory) {
    RecordFile record = new RecordFile(storage, directory);
    long epochs = 0;
    IOException problem = null;
    try {
      record.read();
      epochs = Recovery.run(storage, directory, record);
    } catch (IOException e) {
      problem = e;
    } catch (IllegalArgumentException e) {
      problem = new IOException("%s makes no sense: %s".formatted(directory, e.getMessage()), e);
    }
    return new Recovered(
        directory.getFileName().toString(),
        record.current() == null ? null : info(record.current()),
        epochs,
        problem);
  }

  /**
   * What is on disk. A replica whose record cannot be read is left out, with a warning in the log.
   *
   * @throws IOException when the directory cannot be listed
   */
  public static List<ReplicaInfo> list(Path directory) throws IOException {
    return records(new FileStorage(), directory).stream().map(Replicas::info).toList();
  }

  /** Where the disks of a VM are kept; nothing when no replica is known. */
  public static Set<Path> files(Path directory, String uuid) throws IOException {
    return records(new FileStorage(), directory).stream()
        .filter(record -> record.uuid().equals(uuid))
        .flatMap(record -> record.disks().stream())
        .map(disk -> Path.of(disk.path()))
        .collect(Collectors.toSet());
  }

  /**
   * A guest writes the images of a replica that is not open: on disk before this returns.
   *
   * @param term that the VM is activated under
   * @throws IllegalStateException when it is not consistent, or its journal was not replayed
   */
  public static void activated(Path directory, String uuid, long term) throws IOException {
    RecordFile record = new RecordFile(new FileStorage(), directory.resolve(uuid));
    ReplicaRecord found = record.read();
    if (found.state() != ReplicaState.CONSISTENT || found.journal() != 0) {
      throw new IllegalStateException(
          "the disk replica of VM %s is not ready to run from".formatted(found.vm()));
    }
    record.update(before -> before.active(term));
  }

  static List<ReplicaRecord> records(Storage storage, Path directory) throws IOException {
    List<ReplicaRecord> all = new ArrayList<>();
    for (Path one : storage.list(directory)) {
      RecordFile record = new RecordFile(storage, one);
      if (record.exists()) {
        try {
          all.add(record.read());
        } catch (IOException e) {
          LOG.warn("a disk replica is left out", e);
        }
      }
    }
    return all;
  }

  static ReplicaInfo info(ReplicaRecord record) {
    CommitPoint point = record.point();
    return new ReplicaInfo(
        record.uuid(),
        record.vm(),
        record.primary(),
        record.disks().stream().map(Replicas::disk).toList(),
        record.state(),
        point.term(),
        point.epoch(),
        point.atMs() == 0 ? null : Instant.ofEpochMilli(point.atMs()),
        record.xml());
  }

  private static ReplicaInfo.Disk disk(ReplicaRecord.Disk disk) {
    long allocated;
    try {
      allocated = SparseFile.allocated(disk.path());
    } catch (NativeException e) {
      allocated = -1;
    }
    return new ReplicaInfo.Disk(disk.target(), Path.of(disk.path()), disk.bytes(), allocated);
  }
}
