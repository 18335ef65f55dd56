package io.remus.agent.config;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Sizes as people write them: a whole number and a unit, {@code 64MiB}; units are powers of 1,024.
 */
final class SizeText {
  private static final Pattern FORM = Pattern.compile("(\\d{1,9})(KiB|MiB|GiB)");

  private SizeText() {}

  /**
   * Reads a size in bytes.
   *
   * @throws IllegalArgumentException when the text is no size, saying what one looks like
   */
  static long parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "\"%s\" is no size, write a whole number and KiB, MiB or GiB, such as \"64MiB\""
              .formatted(text));
    }
    int shift =
        switch (matcher.group(2)) {
          case "KiB" -> 10;
          case "MiB" -> 20;
          default -> 30;
        };
    return Long.parseLong(matcher.group(1)) << shift;
  }

  /** The shortest form of a whole number of KiB. */
  static String format(long bytes) {
    if (bytes % (1 << 30) == 0) {
      return (bytes >> 30) + "GiB";
    }
    return bytes % (1 << 20) == 0 ? (bytes >> 20) + "MiB" : (bytes >> 10) + "KiB";
  }
}
