package io.remus.core.wire;

import java.util.OptionalInt;

/**
 * The range of protocol versions an agent speaks.
 *
 * @param lowest at least 1
 * @param highest at least {@code lowest}, at most 65,535
 */
public record Versions(int lowest, int highest) {

  /** What this build speaks. */
  public static final Versions SUPPORTED = new Versions(1, 1);

  public Versions {
    if (lowest < 1 || highest < lowest || highest > 0xFFFF) {
      throw new IllegalArgumentException("no range of versions: " + lowest + " to " + highest);
    }
  }

  /** The highest version that both sides speak; empty when there is none. */
  public OptionalInt common(Versions other) {
    int version = Math.min(highest, other.highest);
    return version < Math.max(lowest, other.lowest) ? OptionalInt.empty() : OptionalInt.of(version);
  }

  /**
   * The answer to a HELLO: a WELCOME with the highest common version, or a REFUSED that names both
   * ranges.
   *
   * @param host name of the host that answers
   */
  public Frame answer(Frame.Hello hello, String host) {
    OptionalInt version = common(hello.versions());
    if (version.isPresent()) {
      return new Frame.Welcome(version.getAsInt(), host);
    }
    return new Frame.Refused(
        RefusalCode.VERSION,
        "%s speaks protocol versions %s, %s speaks %s; install the same release of Remus on both hosts"
            .formatted(host, this, hello.host(), hello.versions()));
  }

  @Override
  public String toString() {
    return lowest == highest ? Integer.toString(lowest) : lowest + " to " + highest;
  }
}
