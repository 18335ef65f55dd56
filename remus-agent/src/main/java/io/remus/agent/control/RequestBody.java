package io.remus.agent.control;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import io.remus.core.control.ControlJson;
import java.util.stream.Collectors;

/** Reads a request's JSON and names the field that is wrong. */
final class RequestBody {
  private RequestBody() {}

  static <T> T read(String body, Class<T> type) throws BadRequestException {
    if (body.isEmpty()) {
      throw new BadRequestException("", "the request has no body, a JSON object is expected");
    }
    try {
      T value = ControlJson.requests().readValue(body, type);
      if (value == null) {
        throw new BadRequestException("", "the body is null, a JSON object is expected");
      }
      return value;
    } catch (UnrecognizedPropertyException e) {
      throw new BadRequestException(field(e), "unknown field; known are " + known(e));
    } catch (ValueInstantiationException e) {
      // The record's own constructor has already named the field.
      throw new BadRequestException("", e.getCause().getMessage());
    } catch (MismatchedInputException e) {
      throw new BadRequestException(field(e), "has the wrong type");
    } catch (JsonProcessingException e) {
      throw new BadRequestException("", "the body is no JSON: " + e.getOriginalMessage());
    }
  }

  private static String known(UnrecognizedPropertyException e) {
    return e.getKnownPropertyIds().stream()
        .map(Object::toString)
        .sorted()
        .collect(Collectors.joining(", "));
  }

  private static String field(JsonMappingException e) {
    String path =
        e.getPath().stream()
            .map(JsonMappingException.Reference::getFieldName)
            .collect(Collectors.joining("."));
    return path.isEmpty() ? "body" : path;
  }
}
