package io.remus.agent.commit;

import io.netty.buffer.ByteBuf;
import io.remus.agent.disk.replica.Replica;
import io.remus.agent.nativeio.NativeException;
import io.remus.agent.nativeio.StandbyMemory;
import io.remus.agent.receive.EpochReceiver;
import io.remus.agent.stage.EpochStage;
import io.remus.core.epoch.EpochId;
import io.remus.core.epoch.Term;
import io.remus.core.wire.Frame;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Moves the standby from one epoch to the next, and is the only maker of an ack.
 *
 * <p>A committed epoch is whole in this process, its disk writes are in the replica's journal, and
 * all of it will be applied before anything runs from the standby; that is what the ack says. Owned
 * by one thread.
 */
public final class Committer implements EpochReceiver.Target {
  private final Term term;
  private final StandbyMemory memory;
  private final Replica replica;
  private boolean synchronising;
  private EpochStage committed;
  private ByteBuffer deviceState;
  private boolean held;

  /** Gets the epochs that the standby gets; null when there is none. */
  private MemoryCopy clone;

  /**
   * @param term the primary's term, under which epochs are acked
   * @param replica of the guest's disks; null when none is replicated
   */
  public Committer(Term term, StandbyMemory memory, Replica replica) {
    this.term = term;
    this.memory = memory;
    this.replica = replica;
  }

  /**
   * From here on the VM runs on from this epoch, if it must.
   *
   * @param stage a whole epoch that was verified; owned by the committer from now on
   * @param guestHeld the guest stood still as somebody wanted
   * @return what to send to the primary, which then releases the epoch's output
   * @throws IOException when the disk writes cannot be committed: the standby is then of no use
   */
  public Frame.Ack commit(EpochId epoch, EpochStage stage, boolean guestHeld) throws IOException {
    if (committed != null) {
      throw new IllegalStateException("the epoch before " + epoch + " is not applied yet");
    }
    committed = stage;
    if (replica != null) {
      beginSynchronisation();
      replica.commit(term.number(), epoch.number());
    }
    deviceState = stage.deviceState();
    held = guestHeld;
    return new Frame.Ack(term.number(), epoch.number());
  }

  /**
   * Writes the committed epoch's pages into the standby's RAM.
   *
   * @return bytes of memory freed, for which credit is due
   * @throws IOException when the RAM cannot be written: the standby is then of no use
   */
  public long apply() throws IOException {
    try (EpochStage stage = committed) {
      committed = null;
      return stage.drainTo(this::apply);
    }
  }

  private void apply(ByteBuf pages) throws NativeException {
    memory.apply(pages);
    if (clone != null) {
      clone.apply(pages);
    }
  }

  /** From here on a clone gets every epoch, too; null for none. */
  public void follow(MemoryCopy follower) {
    clone = follower;
  }

  /**
   * Gives the clone the next slice of what the standby has. When nothing is left, both are the same
   * until the next epoch is applied.
   *
   * @return whether there is more
   * @throws NativeException when the clone is of no use; the standby is as good as before
   */
  public boolean copySlice() throws NativeException {
    return clone.slice(memory);
  }

  /** Nothing can run from these yet. */
  @Override
  public void synchronise(ByteBuf pages) throws NativeException {
    memory.apply(pages);
  }

  @Override
  public void disk(long epoch, ByteBuf records) throws IOException {
    beginSynchronisation();
    if (epoch == 0) {
      replica.synchronise(records);
    } else {
      replica.stage(epoch, records);
    }
  }

  /**
   * Not before anything came: a protection that ended before that leaves an older replica as it
   * was.
   */
  private void beginSynchronisation() throws IOException {
    if (!synchronising) {
      replica.beginSynchronisation(term.number());
      synchronising = true;
    }
  }

  /** Makes the disks what they were at the last committed epoch. */
  public void settle() throws IOException {
    if (replica != null) {
      replica.settle();
    }
  }

  /** The same for a guest that will run on from them, under a term of its own. */
  public void settleToRun() throws IOException {
    settle();
    if (replica != null) {
      replica.activated(term.next().number());
    }
  }

  /** Whether the guest stood still in the last committed epoch, as somebody wanted. */
  public boolean held() {
    return held;
  }

  /** The device state of the last committed epoch. */
  public ByteBuffer deviceState() {
    return deviceState.duplicate();
  }
}
