package io.remus.agent.term;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * The records of all VMs, one file each, on disk before anyone acts on them: written, synced,
 * renamed, directory synced.
 */
public final class TermStore {
  private static final Pattern UUID = Pattern.compile("[0-9a-fA-F-]{36}");

  /** A record without its term is no record: it must not read as term 0. */
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .build();

  private final Path directory;
  private final Map<String, VmRecord> known = new ConcurrentHashMap<>();

  /**
   * Reads what is there.
   *
   * @param directory made when missing
   * @throws IOException naming a record that cannot be read
   */
  public TermStore(Path directory) throws IOException {
    this.directory = Files.createDirectories(directory);
    try (var files = Files.newDirectoryStream(directory, "*.json")) {
      for (Path file : files) {
        VmRecord record = read(file);
        known.put(record.uuid(), record);
      }
    }
  }

  /** What is known of a VM. Never waits for the disk. */
  public Optional<VmRecord> find(String uuid) {
    return Optional.ofNullable(known.get(uuid));
  }

  /** Everything that is known. */
  public List<VmRecord> all() {
    return List.copyOf(known.values());
  }

  /**
   * Replaces what is known of a VM, on disk first.
   *
   * @throws IOException when it is not on disk
   * @throws IllegalArgumentException when the term would go back
   */
  public synchronized void save(VmRecord record) throws IOException {
    VmRecord before = known.get(record.uuid());
    if (before != null && before.term() > record.term()) {
      throw new IllegalArgumentException(
          "term of VM %s cannot go back from %d to %d"
              .formatted(record.vm(), before.term(), record.term()));
    }
    write(record);
    known.put(record.uuid(), record);
  }

  private void write(VmRecord record) throws IOException {
    Path file = file(record.uuid());
    Path fresh = directory.resolve(record.uuid() + ".new");
    try (FileChannel out =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(JSON.writeValueAsBytes(record));
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
      out.force(true);
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    try (FileChannel parent = FileChannel.open(directory, StandardOpenOption.READ)) {
      parent.force(true);
    }
  }

  private static VmRecord read(Path file) throws IOException {
    try {
      return Objects.requireNonNull(JSON.readValue(file.toFile(), VmRecord.class), "it is empty");
    } catch (IOException | NullPointerException e) {
      throw new IOException(
          "the record "
              + file
              + " cannot be read; restore it or, when you know that no other host runs the VM, remove it",
          e);
    }
  }

  private Path file(String uuid) {
    if (!UUID.matcher(uuid).matches()) {
      throw new IllegalArgumentException("not a UUID: " + uuid);
    }
    return directory.resolve(uuid + ".json");
  }
}
