package io.remus.agent.disk.replica;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.UnaryOperator;

/** {@code replica.json}: written, forced, renamed, directory forced. */
final class RecordFile {
  static final String NAME = "replica.json";

  /** A record without its point or its state must not read as one that has none. */
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .build();

  private static final int MOST_BYTES = 16 << 20;

  private final Storage storage;
  private final Path directory;
  private volatile ReplicaRecord current;

  RecordFile(Storage storage, Path directory) {
    this.storage = storage;
    this.directory = directory;
  }

  boolean exists() {
    return storage.exists(directory.resolve(NAME));
  }

  /**
   * @throws IOException naming the file and what to do
   */
  ReplicaRecord read() throws IOException {
    Path file = directory.resolve(NAME);
    try (BlockFile in = storage.open(file)) {
      if (in.size() > MOST_BYTES) {
        throw new IOException("it is too large");
      }
      ByteBuffer bytes = ByteBuffer.allocate((int) in.size());
      in.read(0, bytes);
      ReplicaRecord record =
          Objects.requireNonNull(JSON.readValue(bytes.array(), ReplicaRecord.class), "it is empty");
      if (record.version() != ReplicaRecord.VERSION) {
        throw new IOException("its version is " + record.version());
      }
      current = record;
      return record;
    } catch (IOException | NullPointerException e) {
      throw new IOException(
          "the record %s cannot be read: %s; restore it, or protect the VM again"
              .formatted(file, e.getMessage()),
          e);
    }
  }

  /** What was read or written last. */
  ReplicaRecord current() {
    return current;
  }

  /** Replaces the record, on disk first. */
  synchronized void update(UnaryOperator<ReplicaRecord> change) throws IOException {
    ReplicaRecord record = change.apply(current);
    write(record);
    current = record;
  }

  private void write(ReplicaRecord record) throws IOException {
    Path fresh = directory.resolve(NAME + ".new");
    try (BlockFile out = storage.create(fresh)) {
      out.write(0, ByteBuffer.wrap(JSON.writeValueAsBytes(record)));
      out.force();
    }
    storage.rename(fresh, directory.resolve(NAME));
    storage.forceDirectory(directory);
  }
}
