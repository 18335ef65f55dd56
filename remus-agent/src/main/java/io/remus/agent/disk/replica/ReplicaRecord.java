package io.remus.agent.disk.replica;

import io.remus.core.wire.DiskImage;
import java.util.List;

/**
 * What {@code replica.json} says.
 *
 * @param version of this layout
 * @param point the images and the journal together are at this epoch or a later one
 * @param journal number of the first segment that is to be replayed; 0 when the images alone are at
 *     {@code point}. Segments before it are left-overs
 */
record ReplicaRecord(
    int version,
    String uuid,
    String vm,
    String primary,
    List<Disk> disks,
    ReplicaState state,
    CommitPoint point,
    long journal,
    String xml) {
  static final int VERSION = 1;

  /** A disk; the path is text so that the file can be read by a human. */
  record Disk(String target, long bytes, String path) {
    DiskImage image() {
      return new DiskImage(target, bytes);
    }
  }

  ReplicaRecord syncing() {
    return with(ReplicaState.SYNCING, CommitPoint.NONE, 0);
  }

  ReplicaRecord consistent(CommitPoint at, long firstSegment) {
    return with(ReplicaState.CONSISTENT, at, firstSegment);
  }

  ReplicaRecord active(long term) {
    return with(ReplicaState.ACTIVE, new CommitPoint(term, point.epoch(), point.atMs()), 0);
  }

  List<DiskImage> images() {
    return disks.stream().map(Disk::image).toList();
  }

  private ReplicaRecord with(ReplicaState newState, CommitPoint newPoint, long firstSegment) {
    return new ReplicaRecord(
        version, uuid, vm, primary, disks, newState, newPoint, firstSegment, xml);
  }
}
