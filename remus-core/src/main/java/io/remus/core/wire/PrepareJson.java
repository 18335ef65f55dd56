package io.remus.core.wire;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.ByteBufOutputStream;
import io.remus.core.wire.Frame.Prepare;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;

/**
 * The JSON of a PREPARE. Every field must be there, none may be there twice, and none that this
 * version does not know.
 */
final class PrepareJson {

  private static final ObjectMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(4)
                          .maxNumberLength(20)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .build();

  private PrepareJson() {}

  static void write(Prepare prepare, ByteBuf out) {
    try (OutputStream stream = new ByteBufOutputStream(out)) {
      MAPPER.writeValue(stream, prepare);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Prepare read(ByteBuf in) {
    try (InputStream stream = new ByteBufInputStream(in)) {
      return MAPPER.readValue(stream, Prepare.class);
    } catch (JacksonException e) {
      boolean ours = e.getCause() instanceof IllegalArgumentException;
      throw new ProtocolException(
          "PREPARE: " + (ours ? e.getCause().getMessage() : e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
