package io.remus.agent.release;

import io.remus.agent.nativeio.NativeException;
import io.remus.agent.nativeio.OutputQueue;
import io.remus.agent.nativeio.PlugRules;
import io.remus.core.epoch.DurableAck;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds a guest's packets in a netfilter queue until their epoch is acked (output commit).
 *
 * <p>The rules have no bypass: when this agent dies, the kernel drops what the guest sends. A dead
 * agent never leaks.
 */
public final class OutputPlug implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OutputPlug.class);

  private final String vm;
  private final Consumer<OutputQueue.Told> onOutput;
  private final Consumer<String> broken;
  private final OutputQueue queue;
  private final Thread drainer;
  private boolean closed;

  /**
   * Holds the output from now on.
   *
   * @param taps host interfaces of the guest
   * @param number netfilter queue
   * @param maxPackets most packets to hold; more are dropped and counted
   * @param onOutput told, on a thread of the plug, when the guest has sent something since the last
   *     pause, and when that is much
   * @param broken told, on a thread of the plug, when output cannot be released any more
   */
  public OutputPlug(
      String vm,
      List<String> taps,
      int number,
      int maxPackets,
      Consumer<OutputQueue.Told> onOutput,
      Consumer<String> broken)
      throws NativeException {
    this.vm = vm;
    this.onOutput = onOutput;
    this.broken = broken;
    queue = open(taps, number, maxPackets);
    drainer = new Thread(this::drain, "drain-" + vm);
    drainer.setDaemon(true);
    drainer.start();
    try {
      for (String tap : taps) {
        PlugRules.add(tap, number, vm);
      }
    } catch (NativeException e) {
      drop();
      throw e;
    }
  }

  private static OutputQueue open(List<String> taps, int number, int maxPackets)
      throws NativeException {
    OutputQueue queue = new OutputQueue(number, maxPackets);
    try {
      for (String tap : taps) {
        queue.countInput(tap);
      }
      return queue;
    } catch (NativeException e) {
      queue.close();
      throw e;
    }
  }

  private void drain() {
    try {
      OutputQueue.Told told = queue.drain();
      while (told != OutputQueue.Told.END) {
        onOutput.accept(told);
        told = queue.drain();
      }
    } catch (NativeException | RuntimeException | Error e) {
      broken.accept(e.getMessage());
    }
  }

  /** Counters of the queue; all zero once it is closed. Any thread. */
  public synchronized OutputQueue.Counts counts() throws NativeException {
    return closed ? new OutputQueue.Counts(0, 0, 0) : queue.counts();
  }

  /** The queue, whose marker is noted in the pause. */
  public OutputQueue queue() {
    return queue;
  }

  /**
   * Lets the packets of a committed epoch go.
   *
   * @param ack the proof that the epoch is committed
   * @param marker the last packet of that epoch
   */
  public void release(DurableAck ack, long marker) throws NativeException {
    LOG.trace("VM {}: {} releases packets up to {}", vm, ack, marker);
    queue.release(marker);
  }

  /** Ends holding: what waits goes out, in order, and the rules go. */
  public void unplug() throws NativeException {
    queue.release(queue.marker());
    PlugRules.remove(vm);
    queue.release(queue.marker());
    close();
  }

  /** Ends holding: what waits is never seen. */
  public void drop() throws NativeException {
    PlugRules.remove(vm);
    close();
  }

  /** Leaves the rules in place: without a listener the kernel drops the guest's output. */
  @Override
  public void close() {
    queue.stop();
    boolean interrupted = false;
    while (drainer.isAlive()) {
      try {
        drainer.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    synchronized (this) {
      closed = true;
      queue.close();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
