package io.remus.agent.primary;

import io.remus.agent.capture.EpochCapture;
import io.remus.agent.disk.WriteLog;
import io.remus.agent.nativeio.MemoryBlock;
import io.remus.agent.stream.EpochSender;
import java.io.IOException;
import java.util.function.BooleanSupplier;

/**
 * Sends the whole RAM while the guest runs: rounds of scan and copy, each of what was written
 * during the one before (pre-copy, Clark et al., NSDI 2005), until the rest fits one epoch. A guest
 * that writes faster than the link carries is slowed more with each round that did not get ahead.
 */
final class InitialSync {
  /** Takes about 10 ms to capture: what the first pause may find. */
  private static final long FEW_PAGES = 8192;

  /** A round that leaves more than this part of the last one's pages did not get ahead. */
  private static final double AHEAD = 0.7;

  private static final double[] BRAKES = {0, 0.5, 0.75, 0.9, 0.96};

  private final String vm;
  private final EpochCapture capture;
  private final EpochSender sender;
  private final long totalPages;
  private final long arenaPages;
  private final WriteLog disks;
  private final BooleanSupplier halted;
  private final long beganAtNs = System.nanoTime();
  private volatile SyncProgress progress;

  InitialSync(
      String vm,
      EpochCapture capture,
      EpochSender sender,
      long totalPages,
      long arenaBytes,
      WriteLog disks,
      BooleanSupplier halted) {
    this.vm = vm;
    this.capture = capture;
    this.sender = sender;
    this.totalPages = totalPages;
    this.arenaPages = arenaBytes / MemoryBlock.PAGE;
    this.disks = disks;
    this.halted = halted;
  }

  SyncProgress progress() {
    return progress;
  }

  /**
   * Returns when the rest fits one epoch, or when more braking would not help: the first pause then
   * takes the rest.
   */
  void run() throws IOException {
    long pending = capture.scan();
    long sentPages = 0;
    int brake = 0;
    double dirtyRate = 0;
    for (int round = 1; !halted.getAsBoolean(); round++) {
      long roundBeganNs = System.nanoTime();
      long left = pending;
      try (Brake pulled = new Brake(capture, BRAKES[brake], vm)) {
        while (left > 0 && !halted.getAsBoolean()) {
          long before = left;
          left = capture.copyRunning();
          sender.pages(0, capture.arena(), round == 1);
          sender.disk(0, disks, disks.newest());
          sentPages += before - left;
          progress =
              new SyncProgress(
                  round,
                  sender.sentBytes(),
                  sentPages,
                  left,
                  totalPages,
                  dirtyRate,
                  System.nanoTime() - beganAtNs);
        }
        // Otherwise the first epoch's output would wait for that.
        sender.awaitWorkedOff();
      }
      long found = capture.scan();
      dirtyRate = found * 1e9 / Math.max(1, System.nanoTime() - roundBeganNs);
      boolean ahead = found < pending * AHEAD;
      if (found <= Math.min(FEW_PAGES, arenaPages / 2)) {
        return;
      }
      if (!ahead) {
        if ((found <= arenaPages / 2 && brake > 0) || brake == BRAKES.length - 1) {
          return;
        }
        brake++;
      }
      pending = found;
    }
  }
}
