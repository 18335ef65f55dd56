package io.remus.agent.conductor;

import io.remus.agent.peer.PeerConnection;
import io.remus.core.failover.SilenceMonitor;
import io.remus.core.wire.Frame;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Signs of life on one connection, both ways. They come from a thread that does nothing else: a
 * lane that is busy for a moment must not look like a dead host.
 */
final class Pulse implements AutoCloseable {
  /**
   * What silence is allowed as long as the standby could not be activated anyhow: to give a
   * synchronisation up costs more than to wait.
   */
  private static final long LENIENT_NS = 5_000_000_000L;

  private final long timeoutNs;
  private final SilenceMonitor silence;
  private final ScheduledFuture<?> beats;
  private volatile PeerConnection connection;
  private volatile long heardAtNs = System.nanoTime();
  private volatile long spokeAtNs = System.nanoTime();
  private volatile boolean overslept;
  private volatile SilenceMonitor.Verdict verdict = SilenceMonitor.Verdict.ALIVE;
  private long sequence;

  /**
   * Begins to beat.
   *
   * @param look queued at every beat, to look at {@link #verdict}
   */
  Pulse(
      ScheduledExecutorService clock, long heartbeatMs, long timeoutNs, Lane lane, Runnable look) {
    this.timeoutNs = timeoutNs;
    this.silence = new SilenceMonitor(timeoutNs, heardAtNs);
    this.beats =
        clock.scheduleAtFixedRate(
            () -> {
              spoke();
              beat();
              silence.heard(heardAtNs);
              verdict = silence.look(System.nanoTime());
              lane.execute(look);
            },
            heartbeatMs,
            heartbeatMs,
            TimeUnit.MILLISECONDS);
  }

  /** The connection to beat on; null for none. */
  void on(PeerConnection made) {
    connection = made;
  }

  private void beat() {
    PeerConnection to = connection;
    if (to != null) {
      to.sendNow(new Frame.Heartbeat(++sequence, System.nanoTime(), 0));
    }
  }

  /** This host gives a sign of life. Any thread. */
  void spoke() {
    long nowNs = System.nanoTime();
    if (nowNs - spokeAtNs > timeoutNs) {
      overslept = true;
    }
    spokeAtNs = nowNs;
  }

  /**
   * Whether this host was silent for a whole timeout, because its agent stood still: the peer may
   * have taken it for lost, and what the peer said before that is no permission any more.
   */
  boolean overslept() {
    return overslept || System.nanoTime() - spokeAtNs > timeoutNs;
  }

  /** From now on the peer depends on this host's signs of life. */
  void awake() {
    spokeAtNs = System.nanoTime();
    overslept = false;
  }

  /** The peer gave a sign of life. Any thread. */
  void heard() {
    heardAtNs = System.nanoTime();
  }

  /** How long the peer has been silent. */
  long silentNs() {
    return System.nanoTime() - heardAtNs;
  }

  /**
   * What the silence means. It is judged by the clock's thread: a busy lane is not a silent peer.
   */
  SilenceMonitor.Verdict verdict() {
    return silentNs() < timeoutNs / 2 ? SilenceMonitor.Verdict.ALIVE : verdict;
  }

  /**
   * The same while nothing depends on the standby yet.
   *
   * @param exposed whether the backup may have a committed epoch
   */
  SilenceMonitor.Verdict verdict(boolean exposed) {
    return exposed || silentNs() > LENIENT_NS ? verdict() : SilenceMonitor.Verdict.ALIVE;
  }

  @Override
  public void close() {
    beats.cancel(false);
  }
}
