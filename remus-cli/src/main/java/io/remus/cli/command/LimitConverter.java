package io.remus.cli.command;

import io.remus.core.control.DrillRequest;
import io.remus.core.control.DurationText;
import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** How long a drill may take, as a duration with unit, in seconds. */
final class LimitConverter implements ITypeConverter<Integer> {
  @Override
  public Integer convert(String text) {
    Duration limit;
    try {
      limit = DurationText.parse(text);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
    long seconds = limit.toSeconds();
    if (seconds < 1 || seconds > DrillRequest.MAX_LIMIT_SECONDS) {
      throw new TypeConversionException(
          "\"%s\" is out of range, allowed are 1s to 1440m".formatted(text));
    }
    return (int) seconds;
  }
}
