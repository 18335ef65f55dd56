package io.remus.cli.command;

import java.nio.charset.StandardCharsets;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * The name of a VM or a host. What cannot be one is found here, where the user typed it: in a
 * request's path it would look like another request.
 */
final class NameConverter implements ITypeConverter<String> {
  private static final int MAX_BYTES = 255;

  @Override
  public String convert(String text) {
    if (text.isBlank()
        || text.indexOf('/') >= 0
        || text.chars().anyMatch(Character::isISOControl)
        || text.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES) {
      throw new TypeConversionException(
          "\"%s\" is no name: it has 1 to %d bytes, no slash and no control characters"
              .formatted(text, MAX_BYTES));
    }
    return text;
  }
}
