package io.remus.agent.disk.replica;

import java.io.IOException;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How the files of a journal are called. */
final class SegmentNames {
  private static final Pattern NAME = Pattern.compile("journal-(\\d{1,18})\\.log");

  private SegmentNames() {}

  static Path file(Path directory, long number) {
    return directory.resolve("journal-" + number + ".log");
  }

  /** The segments that are in a directory, by number. */
  static SortedMap<Long, Path> list(Storage storage, Path directory) throws IOException {
    SortedMap<Long, Path> segments = new TreeMap<>();
    for (Path file : storage.list(directory)) {
      Matcher name = NAME.matcher(file.getFileName().toString());
      if (name.matches()) {
        segments.put(Long.parseLong(name.group(1)), file);
      }
    }
    return segments;
  }
}
