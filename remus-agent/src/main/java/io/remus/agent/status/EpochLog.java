package io.remus.agent.status;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One line of comma-separated values for each released epoch, for looking closely at what happened
 * when. Off unless the configuration names a file. Times are nanoseconds since 1970, so that they
 * can be compared with packet captures.
 */
public final class EpochLog implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EpochLog.class);
  private static final String HEADER =
      "vm,term,epoch,started_realtime_ns,stopped_realtime_ns,resumed_realtime_ns,"
          + "acked_realtime_ns,released_realtime_ns,pages,marker,scan_ns,copy_ns";
  private static final int CLOCK_READINGS = 20;
  private static final long CLOSE_ENOUGH_NS = 2_000;
  private static final long SECOND_NS = 1_000_000_000L;

  /**
   * A released epoch. Times are of {@link System#nanoTime}.
   *
   * @param marker id of the epoch's last packet, -1 without a network
   * @param scanNs of the pause, looking for written pages
   * @param copyNs of the pause, copying those that were not copied before it
   */
  public record Line(
      String vm,
      long term,
      long epoch,
      long startedAtNs,
      long stoppedAtNs,
      long resumedAtNs,
      long ackedAtNs,
      long releasedAtNs,
      long pages,
      long marker,
      long scanNs,
      long copyNs) {}

  private final BufferedWriter out;

  private EpochLog(BufferedWriter out) {
    this.out = out;
  }

  /** Opens the log, if there is one to write. */
  public static EpochLog open(Optional<Path> file) throws IOException {
    if (file.isEmpty()) {
      return new EpochLog(null);
    }
    boolean fresh = !Files.exists(file.get());
    BufferedWriter out =
        Files.newBufferedWriter(
            file.get(),
            StandardCharsets.US_ASCII,
            StandardOpenOption.CREATE,
            StandardOpenOption.APPEND);
    if (fresh) {
      out.write(HEADER);
      out.newLine();
    }
    return new EpochLog(out);
  }

  /** Whether anybody reads it. */
  public boolean isOn() {
    return out != null;
  }

  /** Appends a line. */
  public synchronized void add(Line line) {
    long toWallNs = toWallNs();
    StringBuilder text = new StringBuilder(160).append(line.vm());
    long[] numbers = {
      line.term(),
      line.epoch(),
      line.startedAtNs() + toWallNs,
      line.stoppedAtNs() + toWallNs,
      line.resumedAtNs() + toWallNs,
      line.ackedAtNs() + toWallNs,
      line.releasedAtNs() + toWallNs,
      line.pages(),
      line.marker(),
      line.scanNs(),
      line.copyNs()
    };
    for (long number : numbers) {
      text.append(',').append(number);
    }
    try {
      out.append(text);
      out.newLine();
      out.flush();
    } catch (IOException e) {
      LOG.warn("the epoch log cannot be written: {}", e.getMessage());
    }
  }

  /**
   * From {@link System#nanoTime} to nanoseconds since 1970. Both clocks are read in turn; between
   * two readings the thread may lose its processor, so the closest pair of several counts.
   */
  private static long toWallNs() {
    long closestNs = Long.MAX_VALUE;
    long offsetNs = 0;
    for (int i = 0; i < CLOCK_READINGS && closestNs > CLOSE_ENOUGH_NS; i++) {
      long beforeNs = System.nanoTime();
      Instant wall = Instant.now();
      long apartNs = System.nanoTime() - beforeNs;
      if (apartNs < closestNs) {
        closestNs = apartNs;
        offsetNs = wall.getEpochSecond() * SECOND_NS + wall.getNano() - beforeNs - apartNs / 2;
      }
    }
    return offsetNs;
  }

  @Override
  public void close() throws IOException {
    if (out != null) {
      out.close();
    }
  }
}
