package io.remus.cli.command;

import io.remus.cli.command.IntervalConverter.Interval;
import io.remus.core.control.DurationText;
import io.remus.core.control.ProtectRequest;
import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** An epoch's interval, such as {@code 25ms}, or its range, such as {@code 25ms..100ms}. */
final class IntervalConverter implements ITypeConverter<Interval> {
  private static final String RANGE = "..";

  /**
   * Whole milliseconds.
   *
   * @param idleMs as long as the guest sends nothing; null when it is not said
   */
  record Interval(Integer ms, Integer idleMs) {
    /** All of it as the agent is configured. */
    static final Interval CONFIGURED = new Interval(null, null);
  }

  @Override
  public Interval convert(String text) {
    int at = text.indexOf(RANGE);
    if (at < 0) {
      return new Interval(millis(text), null);
    }
    int shortest = millis(text.substring(0, at));
    int longest = millis(text.substring(at + RANGE.length()));
    if (longest < shortest) {
      throw new TypeConversionException(
          "\"%s\" ends before it begins; the shorter time comes first".formatted(text));
    }
    return new Interval(shortest, longest);
  }

  private static int millis(String text) {
    Duration interval;
    try {
      interval = DurationText.parse(text);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
    long millis = interval.toMillis();
    if (!interval.equals(Duration.ofMillis(millis))
        || millis < ProtectRequest.MIN_INTERVAL_MS
        || millis > ProtectRequest.MAX_INTERVAL_MS) {
      throw new TypeConversionException(
          "\"%s\" is out of range, allowed are whole milliseconds from 10ms to 1s".formatted(text));
    }
    return (int) millis;
  }
}
