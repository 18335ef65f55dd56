package io.remus.agent.control;

import io.netty.handler.codec.http.HttpMethod;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * One request the API knows.
 *
 * @param template path as docs/openapi.yaml writes it, with at most one {@code {name}}
 * @param parameters query parameters it takes
 * @param action does it, on a worker thread
 */
record Route(HttpMethod method, String template, List<String> parameters, Action action) {
  private static final String NAME = "{name}";

  /** What a route does. */
  @FunctionalInterface
  interface Action {
    CompletionStage<Reply> run(Call call) throws BadRequestException;
  }

  /**
   * A request for a route.
   *
   * @param name what stands for {@code {name}}; empty when the route has none
   * @param query query parameters, each once
   * @param body the request's body
   */
  record Call(String name, Map<String, String> query, String body) {
    boolean flag(String parameter) throws BadRequestException {
      String value = query.getOrDefault(parameter, "false");
      return switch (value) {
        case "true" -> true;
        case "false" -> false;
        default ->
            throw new BadRequestException(
                parameter, "\"%s\" is neither true nor false".formatted(value));
      };
    }

    long number(String parameter) throws BadRequestException {
      String value = query.getOrDefault(parameter, "0");
      if (!value.matches("\\d{1,18}")) {
        throw new BadRequestException(
            parameter, "\"%s\" is no whole number from 0".formatted(value));
      }
      return Long.parseLong(value);
    }
  }

  /** What stands for {@code {name}} in a path of this route; empty when the path is another's. */
  Optional<String> match(String path) {
    int at = template.indexOf(NAME);
    if (at < 0) {
      return path.equals(template) ? Optional.of("") : Optional.empty();
    }
    String before = template.substring(0, at);
    String after = template.substring(at + NAME.length());
    if (path.length() <= before.length() + after.length()
        || !path.startsWith(before)
        || !path.endsWith(after)) {
      return Optional.empty();
    }
    String name = path.substring(before.length(), path.length() - after.length());
    return name.contains("/") ? Optional.empty() : Optional.of(name);
  }
}
