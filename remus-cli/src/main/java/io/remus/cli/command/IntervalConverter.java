package io.remus.cli.command;

import io.remus.core.control.DurationText;
import io.remus.core.control.ProtectRequest;
import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** An epoch's interval as a duration with unit, in milliseconds. */
final class IntervalConverter implements ITypeConverter<Integer> {
  @Override
  public Integer convert(String text) {
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
