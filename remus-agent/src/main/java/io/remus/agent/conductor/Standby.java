package io.remus.agent.conductor;

import io.remus.agent.commit.Committer;
import io.remus.agent.drill.Original;
import io.remus.agent.guest.GuestException;
import io.remus.agent.guest.StandbyGuest;
import io.remus.agent.nativeio.MemoryBlock;
import io.remus.agent.nativeio.NativeException;
import io.remus.agent.nativeio.StandbyMemory;
import io.remus.agent.peer.PeerConnection;
import io.remus.agent.receive.EpochReceiver;
import io.remus.agent.stage.EpochStage;
import io.remus.agent.verify.ReplicaVerification;
import io.remus.agent.verify.StandbyVerification;
import io.remus.core.control.EventRecord.Level;
import io.remus.core.epoch.EpochId;
import io.remus.core.epoch.Term;
import io.remus.core.wire.Frame;
import io.remus.core.wire.RamBlock;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * The copy of a VM on this host: a guest that waits, with its memory and disks at the last
 * committed epoch, and the one after it as far as it has arrived. Moved by the VM's lane, so that
 * an epoch is applied before anything runs from it; what says so may be asked by any thread.
 */
final class Standby {
  private static final int ACTIVATION_ATTEMPTS = 20;
  private static final long ACTIVATION_RETRY_NS = 500_000_000L;

  private final Surroundings around;
  private final Frame.Prepare prepare;
  private final Lane lane;
  private final LongSupplier owedToOthers;
  private final StandbyReplica replica;
  private volatile StandbyGuest guest;
  private volatile CloneFeed feed;
  private volatile long committedEpoch;
  private StandbyMemory memory;
  private Committer committer;
  private EpochReceiver receiver;
  private EpochStage staged;
  private boolean stagedHeld;
  private StandbyVerification verification;

  /**
   * @param owedToOthers memory of this host that is promised to other standbys, in bytes
   */
  Standby(
      Surroundings around,
      Frame.Prepare prepare,
      Lane lane,
      StandbyReplica replica,
      LongSupplier owedToOthers) {
    this.around = around;
    this.prepare = prepare;
    this.lane = lane;
    this.replica = replica;
    this.owedToOthers = owedToOthers;
  }

  /**
   * Makes the guest that waits, and tells the primary what its disks hold.
   *
   * @param broken told, on any thread, when committed writes cannot be kept any more
   * @return completes when the primary may send
   */
  CompletableFuture<Void> start(PeerConnection primary, Consumer<IOException> broken)
      throws GuestException, IOException {
    replica.open(broken);
    guest =
        StandbyGuest.start(
            around.hypervisor(), replica.model(), CloneFeed.ram(prepare), owedToOthers.getAsLong());
    memory = new StandbyMemory(guest.pid(), guest.memory());
    memory.blank();
    committer = new Committer(new Term(prepare.term()), memory, replica.disks());
    feed = new CloneFeed(lane, prepare, this::owedByHost, committer, replica, () -> committedEpoch);
    receiver =
        new EpochReceiver(
            around.stageDirectory(),
            around.config().memory().stage() / 2,
            MemoryBlock.pages(guest.memory()),
            prepare.disks());
    return replica.tellHashes(primary);
  }

  /** Whether there is a guest. */
  boolean isStarted() {
    return guest != null;
  }

  /** What this standby may yet take of this host's memory, in bytes. */
  long owedBytes() {
    StandbyGuest started = guest;
    return started != null
        ? started.owedBytes()
        : prepare.blocks().stream().mapToLong(RamBlock::bytes).sum();
  }

  private long owedByHost() {
    return owedToOthers.getAsLong() + owedBytes();
  }

  /** What a drill clones; null before it stands by. */
  Original original() {
    return feed;
  }

  /** The last committed epoch, 0 before the first. */
  long committedEpoch() {
    return committedEpoch;
  }

  /** Whether the guest stood still in that epoch, as somebody wanted. */
  boolean held() {
    return committer.held();
  }

  List<String> taps() {
    return guest.taps();
  }

  // ---- epochs ----

  /** Whether chunks are of use. */
  boolean receives() {
    return receiver != null;
  }

  /**
   * Takes over a chunk.
   *
   * @return bytes for which credit is due
   */
  long take(Frame.Chunk chunk) throws IOException {
    return receiver.chunk(chunk, committer);
  }

  /** Stages an epoch, verified and whole, for {@link #commit} or {@link #dropStaged}. */
  void stage(Frame.EpochEnd end) throws IOException {
    staged = receiver.end(end);
    stagedHeld = end.held();
  }

  /** It came too late to be committed. */
  void dropStaged() throws IOException {
    if (staged != null) {
      staged.close();
      staged = null;
    }
  }

  /**
   * Commits the staged epoch and applies it.
   *
   * @param acked told of the ack once it is committed, before it is applied
   * @return bytes for which credit is due
   */
  long commit(EpochId epoch, Consumer<Frame.Ack> acked) throws IOException {
    EpochStage stage = staged;
    staged = null;
    acked.accept(committer.commit(epoch, stage, stagedHeld));
    committedEpoch = epoch.number();
    return committer.apply();
  }

  // ---- comparing it with the primary's guest ----

  /** The primary wants to compare; {@code primary} hears the answers. */
  void verify(Frame.Verify asked, PeerConnection primary) {
    endVerification();
    if (memory == null || asked.term() != prepare.term()) {
      return;
    }
    try {
      ReplicaVerification disks = replica.verify(asked.disks(), primary);
      try {
        verification =
            new StandbyVerification(
                guest.pid(),
                guest.memory(),
                memory,
                disks,
                new Term(prepare.term()),
                primary::sendNow,
                lane::after);
      } catch (NativeException e) {
        disks.close();
        throw e;
      }
      verification.work();
    } catch (IOException | RuntimeException e) {
      primary.sendNow(new Frame.Unverified(String.valueOf(e.getMessage())));
    }
  }

  /** Nothing of a later epoch has been applied: it comes behind this on the lane. */
  void verify(Frame.VerifyEpoch asked, PeerConnection primary) {
    try {
      if (verification == null || asked.epoch() != committedEpoch) {
        throw new IOException("it is at epoch %d, not %d".formatted(committedEpoch, asked.epoch()));
      }
      verification.tell(committedEpoch);
    } catch (IOException e) {
      primary.sendNow(new Frame.Unverified(e.getMessage()));
      endVerification();
    }
  }

  private void endVerification() {
    if (verification != null) {
      verification.close();
      verification = null;
    }
  }

  // ---- its end ----

  /** Lets the guest run on from the last committed epoch; nothing is received any more. */
  void activate() throws GuestException, IOException {
    endVerification();
    feed.stop("VM " + prepare.vm() + " is being taken over");
    closeReceiver();
    committer.settleToRun();
    activateWhileItWaits();
  }

  /** The only copy is not given up because libvirtd is being restarted. */
  private void activateWhileItWaits() throws GuestException {
    for (int attempt = 1; ; attempt++) {
      try {
        guest.activate(committer.deviceState(), committer.held());
        return;
      } catch (GuestException e) {
        if (attempt == ACTIVATION_ATTEMPTS || !stillWaits()) {
          throw e;
        }
        warn("activation is tried again: " + e.getMessage());
        LockSupport.parkNanos(ACTIVATION_RETRY_NS);
      }
    }
  }

  private boolean stillWaits() {
    try {
      return guest.waits();
    } catch (GuestException e) {
      // libvirt does not answer; it may at the next attempt.
      return true;
    }
  }

  /** Makes of the running guest a VM like any other of this host. */
  void settleGuest() {
    try {
      guest.settle();
    } catch (GuestException e) {
      warn(e.getMessage());
    }
  }

  private void closeReceiver() {
    if (receiver != null) {
      quietly(receiver::close);
      receiver = null;
    }
  }

  /**
   * Frees everything but the guest.
   *
   * @param runs the guest runs from it
   */
  void close(boolean runs) {
    if (feed != null) {
      feed.stop("the standby is gone");
    }
    closeReceiver();
    endVerification();
    if (memory != null) {
      memory.close();
    }
    if (committer != null && !runs) {
      // What is committed and not in the images yet would wait there for the agent's next start.
      quietly(committer::settle);
    }
    quietly(replica::close);
  }

  private interface Closing {
    void run() throws IOException;
  }

  /** Nothing else may stay open for it, nor may the VM be left without an end. */
  private void quietly(Closing closing) {
    try {
      closing.run();
    } catch (IOException | RuntimeException e) {
      warn("while its standby was ended: " + e.getMessage());
    }
  }

  private void warn(String message) {
    around.events().vm(Level.WARNING, prepare.vm(), message);
  }
}
