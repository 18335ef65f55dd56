package io.remus.agent.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The API's description and the server, each against the other. */
class OpenApiTest {
  @Test
  void shouldDescribeEveryRouteOfTheServerAndNoOther() throws Exception {
    Set<String> served = new TreeSet<>();
    for (Route route : new Routes(new RecordedOperations()).all()) {
      served.add(route.method() + " " + route.template());
      for (String parameter : route.parameters()) {
        served.add(route.method() + " " + route.template() + " ?" + parameter);
      }
    }

    assertThat(described()).isEqualTo(served);
  }

  /** Paths, methods and query parameters; the file's own layout makes a YAML parser needless. */
  private static Set<String> described() throws Exception {
    Set<String> described = new TreeSet<>();
    String path = "";
    String method = "";
    String parameter = "";
    for (String line : Files.readAllLines(Path.of("../docs/openapi.yaml"))) {
      if (line.startsWith("components:")) {
        break;
      }
      if (line.matches("  /\\S+:")) {
        path = line.strip().replaceAll(":$", "");
      } else if (line.matches("    (get|put|post|delete|patch|head):")) {
        method = line.strip().replace(":", "").toUpperCase(Locale.ROOT);
        described.add(method + " " + path);
      } else if (line.matches("        - name: \\S+")) {
        parameter = line.replaceAll(".*: ", "");
      } else if (line.matches("          in: query")) {
        described.add(method + " " + path + " ?" + parameter);
      }
    }
    return described;
  }
}
