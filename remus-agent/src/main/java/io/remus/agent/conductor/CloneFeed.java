package io.remus.agent.conductor;

import io.remus.agent.commit.Committer;
import io.remus.agent.commit.MemoryCopy;
import io.remus.agent.disk.replica.ImageCopies;
import io.remus.agent.drill.DrillException;
import io.remus.agent.drill.Original;
import io.remus.agent.guest.RunningGuest;
import io.remus.agent.guest.StandbyGuest;
import io.remus.core.wire.DiskImage;
import io.remus.core.wire.Frame;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;

/**
 * A standby as what a drill clones. The clone's RAM is filled on the standby's lane, a slice at a
 * time, so that what the primary sends waits for one slice at most.
 */
final class CloneFeed implements Original {
  /** Between two slices, which take a fraction of it: the lane belongs to the epochs. */
  private static final long BETWEEN_SLICES_MS = 10;

  private final Lane lane;
  private final Frame.Prepare prepare;
  private final LongSupplier owedBytes;
  private final Committer committer;
  private final StandbyReplica replica;
  private final LongSupplier committedEpoch;

  // On the lane.
  private CompletableFuture<Moment> feeding;
  private ImageCopies disks;

  /**
   * @param owedBytes memory of this host that is promised to its standbys
   * @param committedEpoch the last one
   */
  CloneFeed(
      Lane lane,
      Frame.Prepare prepare,
      LongSupplier owedBytes,
      Committer committer,
      StandbyReplica replica,
      LongSupplier committedEpoch) {
    this.lane = lane;
    this.prepare = prepare;
    this.owedBytes = owedBytes;
    this.committer = committer;
    this.replica = replica;
    this.committedEpoch = committedEpoch;
  }

  @Override
  public StandbyGuest.Model model() {
    return replica.original();
  }

  @Override
  public long owedBytes() {
    return owedBytes.getAsLong();
  }

  @Override
  public List<RunningGuest.Ram> ram() {
    return ram(prepare);
  }

  static List<RunningGuest.Ram> ram(Frame.Prepare prepare) {
    return prepare.blocks().stream().map(b -> new RunningGuest.Ram(b.name(), b.bytes())).toList();
  }

  @Override
  public List<String> disks() {
    return prepare.disks().stream().map(DiskImage::target).toList();
  }

  @Override
  public ImageCopies copyDisks(List<Path> files) throws IOException {
    return replica.disks().copyTo(files);
  }

  @Override
  public CompletableFuture<Moment> feed(MemoryCopy memory, ImageCopies copies) {
    CompletableFuture<Moment> fed = new CompletableFuture<>();
    boolean queued =
        lane.execute(
            () -> {
              feeding = fed;
              disks = copies;
              committer.follow(memory);
              slice(fed);
            });
    if (!queued) {
      fed.completeExceptionally(new DrillException("the standby is gone", ""));
    }
    return fed;
  }

  private void slice(CompletableFuture<Moment> fed) {
    if (fed != feeding) {
      return;
    }
    try {
      if (committer.copySlice()) {
        lane.after(BETWEEN_SLICES_MS, () -> slice(fed));
        return;
      }
      if (disks != null) {
        disks.endHere();
      }
      letGo();
      fed.complete(new Moment(committedEpoch.getAsLong(), Instant.now(), committer.deviceState()));
    } catch (IOException | RuntimeException e) {
      letGo();
      fed.completeExceptionally(e);
    }
  }

  private void letGo() {
    committer.follow(null);
    feeding = null;
    disks = null;
  }

  @Override
  public void stopFeeding(String why) {
    lane.execute(() -> stop(why));
  }

  /** The lane has other things to do: from here on it does nothing for a drill. On the lane. */
  void stop(String why) {
    if (replica.disks() != null) {
      replica.disks().stopCopies();
    }
    CompletableFuture<Moment> stopped = feeding;
    if (stopped != null) {
      letGo();
      stopped.completeExceptionally(new DrillException(why, ""));
    }
  }
}
