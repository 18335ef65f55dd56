package io.remus.agent.guest;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where a guest sees which piece of a memory region, as far as {@code info mtree} tells. What it
 * says of a region that another one covers may be wrong: every place is to be checked.
 *
 * <p>Never {@code info mtree -f}: up to QEMU 7.2 at least it forgets to give back what it looked
 * at, and devices that the VM had then can never be unplugged any more.
 */
final class GuestMap {
  /**
   * A piece of a region.
   *
   * @param guest its address in the guest
   * @param offset how far into the region it begins
   */
  record Place(long guest, long offset) {}

  private record Entry(long start, long end, String region, long offset) {
    Place place() {
      return new Place(start, offset);
    }
  }

  /** What is in a region that others point into: addresses count from its start. */
  private record Part(String of, Entry entry) {}

  private static final Pattern SECTION = Pattern.compile("(address-space|memory-region): (\\S+)");
  private static final Pattern ENTRY =
      Pattern.compile(
          "\\s+([0-9a-f]{16})-([0-9a-f]{16}) \\(prio -?\\d+, [^)]*\\): (?:alias \\S+ @(\\S+) ([0-9a-f]{16})-[0-9a-f]{16}|(\\S+))");

  /** What the CPUs see. */
  private final List<Entry> memory = new ArrayList<>();

  private final List<Part> parts = new ArrayList<>();

  GuestMap(String mtree) {
    String kind = "";
    String name = "";
    for (String line : mtree.lines().toList()) {
      Matcher section = SECTION.matcher(line);
      Matcher entry = ENTRY.matcher(line);
      if (section.matches()) {
        kind = section.group(1);
        name = section.group(2);
      } else if (entry.matches()) { // an entry that is "[disabled]" does not
        Entry found = entry(entry);
        if (kind.equals("memory-region")) {
          parts.add(new Part(name, found));
        } else if (name.equals("memory")) {
          memory.add(found);
        }
      }
    }
  }

  private static Entry entry(Matcher m) {
    boolean alias = m.group(3) != null;
    return new Entry(
        Long.parseUnsignedLong(m.group(1), 16),
        Long.parseUnsignedLong(m.group(2), 16),
        alias ? m.group(3) : m.group(5),
        alias ? Long.parseUnsignedLong(m.group(4), 16) : 0);
  }

  /** The places of a region, the likeliest first. */
  List<Place> placesOf(String region) {
    Stream<Place> seen =
        memory.stream().filter(entry -> entry.region().equals(region)).map(Entry::place);
    return Stream.concat(seen, within(region)).toList();
  }

  /** A region that is part of another one, which the CPUs see. */
  private Stream<Place> within(String region) {
    return parts.stream()
        .filter(part -> part.entry().region().equals(region))
        .flatMap(
            part ->
                memory.stream()
                    .filter(entry -> entry.region().equals(part.of()))
                    .flatMap(entry -> overlap(entry, part.entry()).stream()));
  }

  private static List<Place> overlap(Entry seen, Entry part) {
    long first = Math.max(seen.offset(), part.start());
    long guest = seen.start() + first - seen.offset();
    boolean any = first <= part.end() && Long.compareUnsigned(guest, seen.end()) <= 0;
    return any ? List.of(new Place(guest, first - part.start() + part.offset())) : List.of();
  }
}
