package io.remus.cli.command;

import io.remus.core.control.DrillRequest;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** An IP address with the length of its prefix. */
final class AddressConverter implements ITypeConverter<String> {
  @Override
  public String convert(String text) {
    if (!DrillRequest.isAddress(text)) {
      throw new TypeConversionException(
          "\"%s\" is no address with a prefix length, such as 10.77.0.99/24".formatted(text));
    }
    return text;
  }
}
