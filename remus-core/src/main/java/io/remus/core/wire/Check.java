package io.remus.core.wire;

import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * Conditions that frames hold from their construction on, whether made here or read from a peer.
 */
final class Check {

  /** As libvirt prints it. */
  private static final Pattern UUID = Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");

  private Check() {}

  static void name(String what, String name) {
    if (name == null || name.isBlank()) {
      throw new IllegalArgumentException(what + " has no name");
    }
    if (name.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException("name of " + what + " has control characters");
    }
    if (name.getBytes(StandardCharsets.UTF_8).length > Limits.NAME_BYTES) {
      throw new IllegalArgumentException(
          "name of " + what + " is longer than " + Limits.NAME_BYTES + " bytes");
    }
  }

  static void uuid(String uuid) {
    if (uuid == null || !UUID.matcher(uuid).matches()) {
      throw new IllegalArgumentException("not the UUID of a VM, 36 lower-case characters");
    }
  }

  static void term(long term) {
    atLeast(1, term, "term");
  }

  static void epoch(long epoch) {
    atLeast(1, epoch, "epoch");
  }

  static void atLeast(long least, long value, String what) {
    if (value < least) {
      throw new IllegalArgumentException("%s is at least %d, not %d".formatted(what, least, value));
    }
  }

  /** The message as it may stand in a log: one line, within the limit. */
  static String message(String message) {
    StringBuilder line = new StringBuilder();
    int bytes = 0;
    for (int c : message.codePoints().toArray()) {
      int printable = Character.isISOControl(c) || isLoneSurrogate(c) ? ' ' : c;
      bytes += Character.toString(printable).getBytes(StandardCharsets.UTF_8).length;
      if (bytes > Limits.MESSAGE_BYTES) {
        break;
      }
      line.appendCodePoint(printable);
    }
    return line.toString();
  }

  private static boolean isLoneSurrogate(int codePoint) {
    return Character.getType(codePoint) == Character.SURROGATE;
  }
}
