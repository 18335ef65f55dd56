package io.remus.agent.commit;

import io.netty.buffer.ByteBuf;
import io.remus.agent.nativeio.NativeException;
import io.remus.agent.nativeio.StandbyMemory;
import io.remus.agent.stage.EpochStage;
import io.remus.core.epoch.EpochId;
import io.remus.core.epoch.Term;
import io.remus.core.wire.Frame;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Moves the standby from one epoch to the next, and is the only maker of an ack.
 *
 * <p>A committed epoch is whole in this process and will be applied before anything runs from the
 * standby; that is what the ack says. Owned by one thread.
 */
public final class Committer {
  private final Term term;
  private final StandbyMemory memory;
  private EpochStage committed;
  private ByteBuffer deviceState;

  /**
   * @param term the primary's term, under which epochs are acked
   */
  public Committer(Term term, StandbyMemory memory) {
    this.term = term;
    this.memory = memory;
  }

  /**
   * From here on the VM runs on from this epoch, if it must.
   *
   * @param stage a whole epoch that was verified; owned by the committer from now on
   * @return what to send to the primary, which then releases the epoch's output
   */
  public Frame.Ack commit(EpochId epoch, EpochStage stage) {
    if (committed != null) {
      throw new IllegalStateException("the epoch before " + epoch + " is not applied yet");
    }
    committed = stage;
    deviceState = stage.deviceState();
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
      return stage.drainTo(memory::apply);
    }
  }

  /**
   * Pages of the initial synchronisation, which belong to no epoch: nothing can run from them yet.
   */
  public void applySynchronisation(ByteBuf records) throws NativeException {
    memory.apply(records);
  }

  /** The device state of the last committed epoch. */
  public ByteBuffer deviceState() {
    return deviceState.duplicate();
  }
}
