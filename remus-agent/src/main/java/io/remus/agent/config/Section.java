package io.remus.agent.config;

import io.remus.agent.config.ConfigException.Problem;
import io.remus.core.control.DurationText;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlPosition;
import org.tomlj.TomlTable;

/**
 * One table of the file, read key by key. A wrong value is noted and the default taken in its
 * place, so that one pass finds every problem; {@link #close} notes the keys nobody asked for.
 */
final class Section implements AutoCloseable {
  private final String path;
  private final TomlTable table;
  private final int line;
  private final List<Problem> problems;
  private final Set<String> known = new HashSet<>();

  /**
   * Opens a table.
   *
   * @param path name of the table, empty for the file itself
   * @param line where the table begins, for what is missing in it
   */
  Section(String path, TomlTable table, int line, List<Problem> problems) {
    this.path = path;
    this.table = table;
    this.line = line;
    this.problems = problems;
  }

  /** A table in this one; an empty one when it is not there. */
  Section section(String key) {
    known.add(key);
    String name = path.isEmpty() ? key : path + "." + key;
    Object value = table.get(List.of(key));
    if (value instanceof TomlTable found) {
      return new Section(name, found, lineOf(key), problems);
    }
    if (value != null) {
      problem(lineOf(key), "%s must be a section, write [%s]".formatted(name, name));
    }
    return new Section(name, Toml.parse(""), line, problems);
  }

  boolean has(String key) {
    known.add(key);
    return table.contains(List.of(key));
  }

  /** The keys of this table, for tables whose keys are names that the sysadmin chooses. */
  Set<String> names() {
    return table.keySet();
  }

  /** Free text that must not be empty. */
  String text(String key, String fallback) {
    return value(key, String.class, "a text in quotes", Section::filled).orElse(fallback);
  }

  /** Free text; absent when the key is not there or empty. */
  Optional<String> optionalText(String key) {
    return value(key, String.class, "a text in quotes", Function.identity())
        .filter(text -> !text.isEmpty());
  }

  /** Free text that has no default. */
  String requiredText(String key) {
    if (!table.contains(List.of(key))) {
      known.add(key);
      problem(line, "%s is missing, write a text in quotes".formatted(name(key)));
    }
    return text(key, "");
  }

  /** Text, a number or yes and no, as one line of text, for values that another program reads. */
  String scalar(String key) {
    return value(
            key,
            Object.class,
            "a text in quotes, a whole number, true or false",
            value -> {
              if (value instanceof String text && text.lines().count() <= 1) {
                return text;
              }
              if (value instanceof Long || value instanceof Boolean) {
                return value.toString();
              }
              // Not the value itself: it may be a password.
              throw new IllegalArgumentException("it is none, or has several lines");
            })
        .orElse("");
  }

  /**
   * Several texts; none when the key is not there.
   *
   * @param allowed what one of them looks like
   */
  <T> List<T> texts(String key, String allowed, Function<String, T> conversion) {
    return value(
            key,
            TomlArray.class,
            "a list of texts in quotes: " + allowed,
            array -> {
              List<T> values = new ArrayList<>();
              for (Object element : array.toList()) {
                if (!(element instanceof String text)) {
                  throw new IllegalArgumentException(element + " is no text in quotes");
                }
                values.add(conversion.apply(text));
              }
              return List.copyOf(values);
            })
        .orElse(List.of());
  }

  int number(String key, int fallback, int min, int max) {
    return value(
            key,
            Long.class,
            "a whole number from %d to %d".formatted(min, max),
            number -> {
              if (number < min || number > max) {
                throw new IllegalArgumentException("%d is out of range".formatted(number));
              }
              return number.intValue();
            })
        .orElse(fallback);
  }

  Duration duration(String key, Duration fallback, Duration min, Duration max) {
    String allowed = "from %s to %s".formatted(DurationText.format(min), DurationText.format(max));
    return value(
            key,
            String.class,
            "a duration in quotes " + allowed,
            text -> {
              Duration duration = DurationText.parse(text);
              if (duration.compareTo(min) < 0 || duration.compareTo(max) > 0) {
                throw new IllegalArgumentException("\"%s\" is out of range".formatted(text));
              }
              return duration;
            })
        .orElse(fallback);
  }

  /** A size in bytes. */
  long size(String key, long fallback, long min, long max) {
    String allowed = "from %s to %s".formatted(SizeText.format(min), SizeText.format(max));
    return value(
            key,
            String.class,
            "a size in quotes " + allowed,
            text -> {
              long size = SizeText.parse(text);
              if (size < min || size > max) {
                throw new IllegalArgumentException("\"%s\" is out of range".formatted(text));
              }
              return size;
            })
        .orElse(fallback);
  }

  /** One of several words. */
  <E> E choice(String key, E fallback, List<E> choices, Function<E, String> word) {
    String allowed =
        "one of \"" + String.join("\", \"", choices.stream().map(word).toList()) + "\"";
    return value(
            key,
            String.class,
            allowed,
            text ->
                choices.stream()
                    .filter(choice -> word.apply(choice).equals(text))
                    .findFirst()
                    .orElseThrow(
                        () -> new IllegalArgumentException("\"%s\" is not known".formatted(text))))
        .orElse(fallback);
  }

  /** Notes a problem with the value of a key that only shows beside other values. */
  void refuse(String key, String why) {
    problem(lineOf(key), name(key) + ": " + why);
  }

  /** Notes the keys nobody asked for. */
  @Override
  public void close() {
    for (String key : table.keySet()) {
      if (!known.contains(key)) {
        String what = table.get(List.of(key)) instanceof TomlTable ? "section " : "key ";
        String allowed = String.join(", ", known.stream().sorted().toList());
        problem(
            lineOf(key), "unknown %s%s; known here are: %s".formatted(what, name(key), allowed));
      }
    }
  }

  private <T, R> Optional<R> value(
      String key, Class<T> type, String allowed, Function<T, R> conversion) {
    known.add(key);
    Object value = table.get(List.of(key));
    if (value == null) {
      return Optional.empty();
    }
    if (!type.isInstance(value)) {
      problem(lineOf(key), "%s has the wrong type, allowed is %s".formatted(name(key), allowed));
      return Optional.empty();
    }
    try {
      return Optional.of(conversion.apply(type.cast(value)));
    } catch (IllegalArgumentException e) {
      problem(lineOf(key), "%s: %s; allowed is %s".formatted(name(key), e.getMessage(), allowed));
      return Optional.empty();
    }
  }

  private static String filled(String text) {
    if (text.isBlank()) {
      throw new IllegalArgumentException("it is empty");
    }
    return text;
  }

  private String name(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  private int lineOf(String key) {
    TomlPosition position = table.inputPositionOf(List.of(key));
    return position == null ? line : position.line();
  }

  private void problem(int where, String text) {
    problems.add(new Problem(where, text));
  }
}
