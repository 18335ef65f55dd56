package io.remus.agent.disk;

import io.netty.buffer.ByteBuf;
import io.remus.agent.nativeio.Counter;
import io.remus.core.wire.DiskRecords;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * A guest's disk writes, of all its disks, in the order it made them, until they are sent with
 * their epoch.
 *
 * <p>It is bounded: over the bound the guest's writes are kept waiting for their answer, which
 * slows it as a slow disk would. Only while the guest is being stopped nobody is kept waiting, for
 * QEMU stops when every write has been answered; a guest that does not stop and goes on writing
 * closes the log. Thread-safe.
 */
public final class WriteLog implements AutoCloseable {
  private static final class Entry {
    final long number;
    final int disk;
    final ByteBuf data;
    long offset;
    long left;

    Entry(long number, int disk, long offset, long length, ByteBuf data) {
      this.number = number;
      this.disk = disk;
      this.offset = offset;
      this.left = length;
      this.data = data;
    }
  }

  /** No more than this: everything that was logged. */
  public static final long ALL = Long.MAX_VALUE;

  /** What an entry takes beside its data. */
  private static final int ENTRY_BYTES = 64;

  /** A guest that is being stopped and does not stop may log this many times the bound. */
  private static final int OVERRUN = 4;

  private final long boundBytes;
  private final Counter count = new Counter();
  private final Deque<Entry> entries = new ArrayDeque<>();
  private final Deque<Runnable> waiting = new ArrayDeque<>();
  private Runnable onWork = () -> {};
  private long logged;
  private long bytes;
  private boolean stopping;
  private boolean closed;

  /**
   * @param boundBytes data kept before writes have to wait
   */
  public WriteLog(long boundBytes) {
    this.boundBytes = boundBytes;
  }

  /** Told, on the thread that logs, that there is something to send. */
  public synchronized void onWork(Runnable listener) {
    onWork = listener;
  }

  /**
   * Logs a write.
   *
   * @param data taken over
   * @param answer run when the guest may know that it was written; maybe later, on another thread
   */
  public void write(int disk, long offset, ByteBuf data, Runnable answer) {
    log(disk, offset, data.readableBytes(), data, answer);
  }

  /** Logs a range of zeroes. */
  public void zero(int disk, long offset, long length, Runnable answer) {
    log(disk, offset, length, null, answer);
  }

  /** Logs a part of a write, which {@link #afterLogged} answers. */
  void write(int disk, long offset, ByteBuf data) {
    log(disk, offset, data.readableBytes(), data, null);
  }

  /** Logs a part of a write, which {@link #afterLogged} answers. */
  void zero(int disk, long offset, long length) {
    log(disk, offset, length, null, null);
  }

  private void log(int disk, long offset, long length, ByteBuf data, Runnable answer) {
    Runnable listener;
    synchronized (this) {
      if (closed) {
        if (data != null) {
          data.release();
        }
        listener = () -> {};
      } else {
        entries.addLast(new Entry(++logged, disk, offset, length, data));
        bytes += ENTRY_BYTES + (data == null ? 0 : length);
        count.set(logged);
        listener = onWork;
      }
    }
    if (waitingBytes() > OVERRUN * boundBytes) {
      close();
    }
    if (answer != null) {
      afterLogged(answer);
    }
    listener.run();
  }

  /** Answers a write whose parts were logged: now, or when there is room again. */
  void afterLogged(Runnable answer) {
    synchronized (this) {
      if (bytes > boundBytes && !stopping && !closed) {
        waiting.addLast(answer);
        return;
      }
    }
    answer.run();
  }

  /** The guest is about to be stopped: whoever waits is answered, and nobody waits until then. */
  public void guestStops() {
    List<Runnable> answered;
    synchronized (this) {
      stopping = true;
      answered = takeWaiting();
    }
    answered.forEach(Runnable::run);
  }

  /** The guest was stopped, or will not be. */
  public synchronized void guestStopped() {
    stopping = false;
  }

  private List<Runnable> takeWaiting() {
    List<Runnable> taken = new ArrayList<>(waiting);
    waiting.clear();
    return taken;
  }

  /** Whether writes were dropped; then nothing may be completed from it any more. */
  public synchronized boolean isClosed() {
    return closed;
  }

  /** Number of the last write that was logged. */
  public synchronized long newest() {
    return logged;
  }

  /** How many writes were logged, for the pause to note. */
  public Counter count() {
    return count;
  }

  /** Bytes that are not sent yet. */
  public synchronized long waitingBytes() {
    return bytes;
  }

  /**
   * Moves the oldest writes into a chunk, as {@link DiskRecords}.
   *
   * @param upTo number of the last write to be moved, or {@link #ALL}
   * @param chunk as much as it has room for; more than a record's head
   * @return false when there was none to move
   */
  public boolean next(long upTo, ByteBuf chunk) {
    List<Runnable> answered = List.of();
    synchronized (this) {
      Entry first = entries.peekFirst();
      while (first != null
          && first.number <= upTo
          && chunk.writableBytes() > DiskRecords.HEAD_BYTES) {
        move(first, chunk);
        first = entries.peekFirst();
      }
      if (bytes <= boundBytes && !waiting.isEmpty()) {
        answered = takeWaiting();
      }
    }
    answered.forEach(Runnable::run);
    return chunk.isReadable();
  }

  private void move(Entry entry, ByteBuf chunk) {
    int part;
    if (entry.data == null) {
      part = (int) Math.min(entry.left, Integer.MAX_VALUE);
      DiskRecords.zero(entry.disk, entry.offset, part, chunk);
    } else {
      part = (int) Math.min(entry.left, chunk.writableBytes() - DiskRecords.HEAD_BYTES);
      DiskRecords.write(entry.disk, entry.offset, entry.data.readSlice(part), chunk);
      bytes -= part;
    }
    entry.offset += part;
    entry.left -= part;
    if (entry.left == 0) {
      entries.removeFirst();
      bytes -= ENTRY_BYTES;
      if (entry.data != null) {
        entry.data.release();
      }
    }
  }

  /** Nothing is sent any more: what was logged is dropped, and every write answered at once. */
  @Override
  public void close() {
    List<Runnable> answered;
    synchronized (this) {
      closed = true;
      for (Entry entry : entries) {
        if (entry.data != null) {
          entry.data.release();
        }
      }
      entries.clear();
      bytes = 0;
      answered = takeWaiting();
    }
    answered.forEach(Runnable::run);
  }
}
