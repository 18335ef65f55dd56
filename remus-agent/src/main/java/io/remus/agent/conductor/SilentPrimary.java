package io.remus.agent.conductor;

import io.remus.agent.arbiter.Pair;
import io.remus.core.epoch.Term;
import io.remus.core.failover.Verdict;
import io.remus.core.wire.Frame;
import java.util.function.Consumer;

/**
 * A primary that was not heard of for a while: asks it over every path, and the arbiter about it.
 * Moved by the VM's lane, which also hears the answers.
 */
final class SilentPrimary {
  private static final long ASK_ARBITER_EVERY_NS = 500_000_000L;

  private final Surroundings around;
  private final Frame.Prepare prepare;
  private final Peer peer;
  private final Lane lane;
  private final Pulse pulse;
  private boolean asking;
  private long askArbiterAtNs = System.nanoTime();
  private volatile Long agentMissingAtNs;

  /**
   * @param pulse told of every sign of life
   */
  SilentPrimary(Surroundings around, Frame.Prepare prepare, Peer peer, Lane lane, Pulse pulse) {
    this.around = around;
    this.prepare = prepare;
    this.peer = peer;
    this.lane = lane;
    this.pulse = pulse;
  }

  /** Asks it what it knows of the VM, unless it is being asked. */
  void ask(Consumer<Frame.VmRecord> answered) {
    if (asking) {
      return;
    }
    asking = true;
    around
        .inquiry()
        .ask(
            peer.paths(),
            prepare.uuid(),
            // So that signs of a host that lives are less than a timeout apart.
            prepare.failoverTimeoutMs() / 2,
            new Signs(),
            FrameListeners.DEAF)
        .whenComplete(
            (answer, failure) ->
                lane.execute(
                    () -> {
                      asking = false;
                      if (failure == null) {
                        answer.connection().close();
                        pulse.heard();
                        answered.accept(answer.record());
                      }
                    }));
  }

  /**
   * Asks the arbiter whether this host may take the VM over. Silence goes on while it cannot be
   * asked, and with it the wish.
   */
  void askArbiter(Consumer<Verdict> said) {
    long waitNs = Math.max(0, askArbiterAtNs - System.nanoTime());
    askArbiterAtNs = System.nanoTime() + waitNs + ASK_ARBITER_EVERY_NS;
    Pair pair =
        new Pair(
            prepare.uuid(),
            prepare.vm(),
            new Term(prepare.term()),
            peer.name(),
            around.config().host());
    lane.after(waitNs / 1_000_000, () -> around.arbiter().takeOver(pair).thenAccept(said));
  }

  /**
   * A host that said just now that nothing listens there is up, and holds the guest's output while
   * its agent is restarted. A host that dies after that is silent, and waited for no longer.
   */
  boolean agentMayReturn() {
    return agentWasMissing()
        && pulse.silentNs() < around.config().failover().agentGrace().toNanos();
  }

  private boolean agentWasMissing() {
    Long missingAtNs = agentMissingAtNs;
    return missingAtNs != null
        && System.nanoTime() - missingAtNs < prepare.failoverTimeoutMs() * 1_000_000L;
  }

  /** On event loops. */
  private final class Signs implements PeerInquiry.Signs {
    @Override
    public void greeted() {
      pulse.heard();
    }

    @Override
    public void hostWithoutAgent() {
      agentMissingAtNs = System.nanoTime();
    }

    /** A young agent listens before it is quick to answer; one that is frozen was never missing. */
    @Override
    public void reached() {
      if (agentWasMissing()) {
        agentMissingAtNs = System.nanoTime();
      }
    }
  }
}
