package io.remus.agent.conductor;

import io.remus.agent.guest.GuestException;
import io.remus.agent.input.InputCarry;
import io.remus.agent.nativeio.NativeException;
import io.remus.agent.peer.PeerConnection;
import io.remus.agent.primary.EpochTimes;
import io.remus.core.control.EventRecord.Level;
import io.remus.core.control.Switchover;
import io.remus.core.epoch.EpochId;
import io.remus.core.epoch.Term;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * One switchover as the primary sees it: when its steps were done, by this host's clock, and what
 * comes for the guest while it stands still. On the lane, except where it says so.
 */
final class Move implements AutoCloseable {
  private final Surroundings around;
  private final String vm;
  private final String host;
  private final List<String> taps;
  private final CompletableFuture<Switchover> done = new CompletableFuture<>();

  private volatile InputCarry carry;
  private volatile long stopsAtNs;
  private volatile long runsAtNs;
  private long capturedAtNs;
  private long ackedAtNs;
  private long handedOverAtNs;
  private EpochId epoch;

  /**
   * @param host where the VM goes
   * @param taps of the guest on this host
   */
  Move(Surroundings around, String vm, String host, List<String> taps) {
    this.around = around;
    this.vm = vm;
    this.host = host;
    this.taps = taps;
  }

  /** Completes when the guest runs there; fails when it does not, with the reason. */
  CompletableFuture<Switchover> done() {
    return done;
  }

  /** The guest is about to be stopped. On the thread that stops it. */
  void stops() {
    try {
      carry = carry == null ? new InputCarry(taps) : carry;
    } catch (NativeException e) {
      around
          .events()
          .vm(
              Level.WARNING,
              vm,
              "what comes while it moves has to be sent again: " + e.getMessage());
    }
    stopsAtNs = System.nanoTime();
  }

  /** An epoch was captured; the last one counts. */
  void captured(EpochId number, EpochTimes times) {
    epoch = number;
    capturedAtNs = times.resumedAtNs();
  }

  /** An epoch was acked and its output is out; the last one counts. */
  void acked() {
    ackedAtNs = System.nanoTime();
  }

  /** The backup was told to run the guest. */
  void handedOver(PeerConnection backup) {
    handedOverAtNs = System.nanoTime();
    if (carry != null && backup != null) {
      carry.to(backup);
    }
  }

  /** The backup says that the guest runs. Any thread; the first time counts. */
  void runs() {
    if (runsAtNs == 0) {
      runsAtNs = System.nanoTime();
    }
  }

  /** It is over. */
  void succeeded(Term term) {
    long carried = carry == null ? 0 : carry.frames();
    close();
    Switchover report =
        new Switchover(
            vm,
            host,
            term.number(),
            epoch.number(),
            ms(stopsAtNs, capturedAtNs),
            ms(capturedAtNs, ackedAtNs),
            ms(ackedAtNs, handedOverAtNs),
            ms(handedOverAtNs, runsAtNs),
            ms(stopsAtNs, runsAtNs));
    around
        .events()
        .vm(
            Level.INFO,
            vm,
            "ran nowhere for %.1f ms on its way to %s; %d packets that came meanwhile were carried"
                .formatted(report.outageMs(), host, carried));
    done.complete(report);
  }

  /** It did not come to its end. */
  void failed(String why) {
    close();
    done.completeExceptionally(
        new GuestException(GuestException.Kind.UNPROTECTABLE, why, "see `remus events`"));
  }

  /** Whether the backup has said that the guest runs there. */
  boolean isConfirmed() {
    return runsAtNs != 0 && handedOverAtNs != 0;
  }

  private static double ms(long fromNs, long toNs) {
    return Math.round((toNs - fromNs) / 1e3) / 1e3;
  }

  @Override
  public void close() {
    InputCarry open = carry;
    carry = null;
    if (open != null) {
      open.close();
    }
  }
}
