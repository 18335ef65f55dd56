package io.remus.agent.input;

import io.remus.agent.nativeio.Errno;
import io.remus.agent.nativeio.GuestTap;
import io.remus.agent.nativeio.NativeException;
import io.remus.agent.peer.PeerConnection;
import io.remus.core.wire.Frame;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries to the backup what the network sends to a guest that a switchover has stopped here. A
 * request that got lost in these milliseconds would be sent again by TCP after 200 ms at the
 * soonest (RFC 6298 with Linux's least timeout), which is longer than the whole move.
 *
 * <p>A frame that the guest has received just before it stopped may be carried, too: networks may
 * double packets.
 */
public final class InputCarry implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(InputCarry.class);
  private static final long ROOM_LIMIT_NS = 100_000_000L;

  private final List<GuestTap> taps = new ArrayList<>();
  private final List<Thread> carriers = new ArrayList<>();
  private final AtomicLong frames = new AtomicLong();

  /**
   * Keeps what comes from now on.
   *
   * @param interfaces of the guest on this host, in the order in which it has them
   */
  public InputCarry(List<String> interfaces) throws NativeException {
    try {
      for (String name : interfaces) {
        taps.add(GuestTap.listening(name, Frame.Input.MOST));
      }
    } catch (NativeException e) {
      close();
      throw e;
    }
  }

  /** Sends what has come, and what comes until {@link #close}. */
  public void to(PeerConnection backup) {
    for (int nic = 0; nic < taps.size(); nic++) {
      int number = nic;
      Thread carrier = new Thread(() -> carry(number, backup), "carry-" + nic);
      carrier.setDaemon(true);
      carriers.add(carrier);
      carrier.start();
    }
  }

  private void carry(int nic, PeerConnection backup) {
    GuestTap tap = taps.get(nic);
    try {
      for (ByteBuffer seen = tap.read(); seen != null; seen = tap.read()) {
        if (backup.awaitRoom(System.nanoTime() + ROOM_LIMIT_NS)) {
          ByteBuffer frame = ByteBuffer.allocate(seen.remaining()).put(seen).flip();
          backup.sendNow(new Frame.Input(nic, frame));
          frames.incrementAndGet();
        }
      }
    } catch (NativeException e) {
      if (e.errno() != Errno.ENETDOWN) {
        LOG.warn("what still comes for a guest that moved is lost: {}", e.getMessage());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Frames carried so far. */
  public long frames() {
    return frames.get();
  }

  /** What came and was not asked for is forgotten. */
  @Override
  public void close() {
    taps.forEach(GuestTap::stop);
    boolean interrupted = false;
    for (Thread carrier : carriers) {
      while (carrier.isAlive()) {
        try {
          carrier.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    taps.forEach(GuestTap::close);
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
