package io.remus.agent.drill;

import io.remus.agent.commit.MemoryCopy;
import io.remus.agent.disk.replica.ImageCopies;
import io.remus.agent.guest.RunningGuest;
import io.remus.agent.guest.StandbyGuest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A standby that is cloned. Any thread. */
public interface Original {
  /**
   * The epoch that a clone is at.
   *
   * @param epoch its number
   * @param at when it was the last committed one
   * @param deviceState to activate the clone with
   */
  record Moment(long epoch, Instant at, ByteBuffer deviceState) {}

  /** The VM, on the disks that it has on the primary. */
  StandbyGuest.Model model();

  /** Memory of this host that is promised to its standbys, this one among them. */
  long owedBytes();

  /** RAM blocks of the VM. */
  List<RunningGuest.Ram> ram();

  /** Names of the replicated disks, such as {@code vda}. */
  List<String> disks();

  /**
   * Begins to copy the disks.
   *
   * @param files to be made, one for each disk
   */
  ImageCopies copyDisks(List<Path> files) throws IOException;

  /**
   * Makes a clone's RAM what the standby's is at one epoch, and chooses that epoch for the disks.
   * Completes when the RAM is there and nothing writes it any more; fails with a {@link
   * DrillException} when the standby has other things to do. One at a time.
   *
   * @param disks null when none is replicated
   */
  CompletableFuture<Moment> feed(MemoryCopy memory, ImageCopies disks);

  /** Makes what {@link #feed} returned fail, if it is not complete. */
  void stopFeeding(String why);
}
