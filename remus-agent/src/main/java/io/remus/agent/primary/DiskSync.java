package io.remus.agent.primary;

import io.remus.agent.disk.DiskStream;
import io.remus.agent.guest.DiskMirrors;
import io.remus.agent.guest.GuestException;
import io.remus.agent.stream.EpochSender;
import io.remus.core.control.VmStatus;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Copies the disks while the guest runs, before its RAM: from the end on every write is mirrored.
 */
final class DiskSync {
  private static final long LOOK_NS = 100_000_000;
  private static final long POLL_NS = 2_000_000;

  private final DiskStream disks;
  private final EpochSender sender;
  private final BooleanSupplier halted;
  private final long beganAtNs = System.nanoTime();
  private volatile DiskMirrors.Progress progress;
  private volatile long sentBytes;

  DiskSync(DiskStream disks, EpochSender sender, BooleanSupplier halted) {
    this.disks = disks;
    this.sender = sender;
    this.halted = halted;
  }

  /** Returns when all that is on the disks was sent. */
  void run() throws IOException {
    if (disks.isEmpty()) {
      return;
    }
    try {
      disks.start();
      copy();
    } catch (GuestException e) {
      throw new IOException(e.getMessage(), e);
    }
    sender.disk(0, disks.log(), disks.log().newest());
  }

  private void copy() throws IOException, GuestException {
    long nextLookNs = System.nanoTime();
    while (!halted.getAsBoolean()) {
      sender.disk(0, disks.log(), disks.log().newest());
      sentBytes = sender.sentBytes();
      if (System.nanoTime() - nextLookNs >= 0) {
        DiskMirrors.Progress seen = disks.progress();
        progress = seen;
        if (seen.ready() == seen.jobs()) {
          disks.copied();
          return;
        }
        nextLookNs = System.nanoTime() + LOOK_NS;
      }
      if (disks.log().waitingBytes() == 0) {
        LockSupport.parkNanos(POLL_NS);
      }
    }
  }

  /** How far it is; empty before it began. */
  Optional<VmStatus.Sync> progress() {
    DiskMirrors.Progress seen = progress;
    if (seen == null) {
      return Optional.empty();
    }
    double seconds = Math.max(1, System.nanoTime() - beganAtNs) / 1e9;
    long left = seen.totalBytes() - seen.doneBytes();
    return Optional.of(
        new VmStatus.Sync(
            0,
            sentBytes,
            0,
            0,
            sentBytes / seconds,
            100.0 * seen.doneBytes() / Math.max(1, seen.totalBytes()),
            left));
  }
}
