package io.remus.core.control;

import java.util.regex.Pattern;

/**
 * Starts a clone of a VM's last committed epoch in a network of its own.
 *
 * @param address of this host in that network, with the prefix's length, such as {@code
 *     10.77.0.99/24}; null for none
 * @param limitSeconds the clone is removed after this time at the latest, 1 to 86,400
 */
public record DrillRequest(String address, int limitSeconds) {
  public static final int MAX_LIMIT_SECONDS = 86_400;

  private static final Pattern IPV4 = Pattern.compile("(\\d{1,3})(\\.\\d{1,3}){3}/(\\d{1,2})");
  private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F:.]*:[0-9a-fA-F:.]*/(\\d{1,3})");

  /**
   * Refuses wrong values.
   *
   * @throws IllegalArgumentException naming the JSON field that is wrong and what it may be
   */
  public DrillRequest {
    if (address != null && !isAddress(address)) {
      throw new IllegalArgumentException(
          "address: \"%s\" is no address with a prefix length, such as 10.77.0.99/24"
              .formatted(address));
    }
    if (limitSeconds < 1 || limitSeconds > MAX_LIMIT_SECONDS) {
      throw new IllegalArgumentException(
          "limit_seconds: %d is out of range, allowed are 1 to %d"
              .formatted(limitSeconds, MAX_LIMIT_SECONDS));
    }
  }

  /** Whether a text is an IPv4 or IPv6 address with the length of its prefix. */
  public static boolean isAddress(String text) {
    return IPV4.matcher(text).matches() || IPV6.matcher(text).matches();
  }
}
