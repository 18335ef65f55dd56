package io.remus.agent.status;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.remus.core.control.ControlJson;
import io.remus.core.control.EventRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Events on disk, one JSON object on a line. At 8 MiB the file becomes {@code events.jsonl.1} in
 * place of the one before, so that both together stay below 16 MiB.
 */
final class EventFile implements AutoCloseable {
  static final long MAX_BYTES = 8L << 20;

  private final Path file;
  private FileChannel channel;

  private EventFile(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  static EventFile open(Path file) throws IOException {
    EventFile events = new EventFile(file, openChannel(file));
    events.endTornLine();
    return events;
  }

  /** The newest events, oldest first; lines that are no events are passed over. */
  List<EventRecord> read(int limit) throws IOException {
    ArrayDeque<EventRecord> newest = new ArrayDeque<>();
    for (Path path : List.of(older(), file)) {
      if (Files.exists(path)) {
        // A line may be torn in the middle of a character, so decode without being strict.
        String text = new String(Files.readAllBytes(path), StandardCharsets.UTF_8);
        try (Stream<String> lines = text.lines()) {
          lines.forEach(line -> keep(newest, line, limit));
        }
      }
    }
    return new ArrayList<>(newest);
  }

  void append(EventRecord event) throws IOException {
    ByteBuffer line =
        ByteBuffer.wrap((ControlJson.line(event) + "\n").getBytes(StandardCharsets.UTF_8));
    if (channel.size() + line.remaining() > MAX_BYTES) {
      rotate();
    }
    while (line.hasRemaining()) {
      channel.write(line);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  @Override
  public String toString() {
    return file.toString();
  }

  private static void keep(ArrayDeque<EventRecord> newest, String line, int limit) {
    try {
      newest.addLast(ControlJson.replies().readValue(line, EventRecord.class));
    } catch (JsonProcessingException torn) {
      // The host lost power while the line was written; the events around it are good.
      return;
    }
    if (newest.size() > limit) {
      newest.removeFirst();
    }
  }

  private void rotate() throws IOException {
    Files.move(file, older(), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    FileChannel fresh = openChannel(file);
    channel.close();
    channel = fresh;
  }

  /** After a power loss the last line may have no end; the next event must not be glued to it. */
  private void endTornLine() throws IOException {
    long size = channel.size();
    if (size == 0) {
      return;
    }
    try (FileChannel reader = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer last = ByteBuffer.allocate(1);
      reader.read(last, size - 1);
      if (last.get(0) != '\n') {
        channel.write(ByteBuffer.wrap(new byte[] {'\n'}));
      }
    }
  }

  private Path older() {
    return file.resolveSibling(file.getFileName() + ".1");
  }

  private static FileChannel openChannel(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }
}
