package io.remus.cli.output;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.remus.core.control.ControlJson;

/** Results as documents for programs. */
public final class Documents {
  private Documents() {}

  /** An indented JSON document with a line end. */
  public static String json(Object value) {
    try {
      return ControlJson.replies()
              .writer()
              .with(SerializationFeature.INDENT_OUTPUT)
              .writeValueAsString(value)
          + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a reply has no JSON", e);
    }
  }

  /** A YAML document with the same names. */
  public static String yaml(Object value) {
    YAMLFactory factory =
        YAMLFactory.builder().enable(YAMLGenerator.Feature.MINIMIZE_QUOTES).build();
    try {
      return ControlJson.configure(YAMLMapper.builder(factory)).build().writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a reply has no YAML", e);
    }
  }
}
