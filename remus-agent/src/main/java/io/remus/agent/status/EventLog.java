package io.remus.agent.status;

import io.remus.core.control.EventRecord;
import io.remus.core.control.EventRecord.Level;
import io.remus.core.control.VmState;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happened on this host: the newest thousand events in memory, all of them in {@code
 * events.jsonl} of the state directory, and each as a line of the agent's log. Safe for any thread.
 *
 * <p>Sequence numbers go on after a restart, so that a program that follows the events can say
 * where it left off.
 */
public final class EventLog implements AutoCloseable {
  /** Events kept in memory. */
  public static final int KEPT = 1_000;

  private static final Logger LOG = LoggerFactory.getLogger(EventLog.class);

  private final InstantSource clock;
  private final EventFile file;
  private final ArrayDeque<EventRecord> newest = new ArrayDeque<>();
  private final Set<Runnable> followers = ConcurrentHashMap.newKeySet();
  private long lastSequence;
  private boolean fileFailed;

  private EventLog(InstantSource clock, EventFile file, List<EventRecord> earlier) {
    this.clock = clock;
    this.file = file;
    earlier.forEach(this::keep);
  }

  /**
   * Opens the log of a state directory, which must exist.
   *
   * @throws IOException when the directory cannot be written
   */
  public static EventLog open(Path stateDirectory, InstantSource clock) throws IOException {
    EventFile file = EventFile.open(stateDirectory.resolve("events.jsonl"));
    try {
      return new EventLog(clock, file, file.read(KEPT));
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** Records something that concerns the host. */
  public void host(Level level, String message) {
    append(level, null, message, null);
  }

  /** Records something that happened to a VM. */
  public void vm(Level level, String vm, String message) {
    append(level, vm, message, null);
  }

  /** Records that a VM entered a state. */
  public void state(Level level, String vm, VmState state, String message) {
    append(level, vm, message, state);
  }

  /** The oldest events after a sequence number that are still kept, at most {@code limit}. */
  public synchronized List<EventRecord> after(long sequence, int limit) {
    List<EventRecord> found = new ArrayList<>();
    for (EventRecord event : newest) {
      if (event.sequence() > sequence) {
        found.add(event);
        if (found.size() == limit) {
          break;
        }
      }
    }
    return found;
  }

  /**
   * Calls {@code wake} after each event until the returned handle is closed. It is called on the
   * thread that records the event and must return at once; it then reads with {@link #after}, at
   * its own pace.
   */
  public Following follow(Runnable wake) {
    followers.add(wake);
    return () -> followers.remove(wake);
  }

  /** Ends a follower's calls. */
  public interface Following extends AutoCloseable {
    @Override
    void close();
  }

  @Override
  public synchronized void close() throws IOException {
    file.close();
  }

  private void append(Level level, String vm, String message, VmState state) {
    EventRecord event;
    synchronized (this) {
      event = new EventRecord(lastSequence + 1, clock.instant(), level, vm, message, state);
      keep(event);
      write(event);
    }
    String where = vm == null ? "" : "VM " + vm + ": ";
    switch (level) {
      case INFO -> LOG.info("{}{}", where, message);
      case WARNING -> LOG.warn("{}{}", where, message);
      case ERROR -> LOG.error("{}{}", where, message);
    }
    followers.forEach(Runnable::run);
  }

  private void keep(EventRecord event) {
    lastSequence = event.sequence();
    newest.addLast(event);
    if (newest.size() > KEPT) {
      newest.removeFirst();
    }
  }

  /** A full disk must not stop protection: the event stays in memory and in the agent's log. */
  private void write(EventRecord event) {
    try {
      file.append(event);
      fileFailed = false;
    } catch (IOException e) {
      if (!fileFailed) {
        LOG.error("Events cannot be written to {}, make room on its file system", file, e);
      }
      fileFailed = true;
    }
  }
}
