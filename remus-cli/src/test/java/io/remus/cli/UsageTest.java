package io.remus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.remus.cli.command.RemusCommand;
import io.remus.cli.output.Terminal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class UsageTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ''                                           | a command is missing
          pki                                          | a command is missing
          nosuch                                       | nosuch
          protect                                      | --backup
          protect db1                                  | --backup
          protect db1 --backup hv2 --interval 5ms      | 10ms to 1s
          protect db1 --backup hv2 --interval 25       | such as "25ms"
          protect db1 --backup hv2 --interval 10500us  | whole milliseconds
          protect db1 --backup hv2 --interval 50ms..25ms | ends before it begins
          protect db1 --backup hv2 --interval 25ms..2s   | 10ms to 1s
          protect db1 --backup hv2 --interval 25ms..     | such as "25ms"
          protect db1 --backup hv2 --disk some         | --disk
          protect db1 --backup hv2 --disk-durability x | --disk-durability
          protect db1 --backup=                        | "" is no name
          protect a/b --backup hv2                     | "a/b" is no name
          status ../x                                  | "../x" is no name
          status -o xml                                | xml
          events -o yaml                               | yaml
          events --since x                             | --since
          unprotect                                    | VM
          pki issue ../x                               | no host name
          pki issue ca                                 | no host name
          pki issue hv1 --address 10.0.0.300           | no IP address
          pki issue hv1 --days 0                       | 1 to 3650
          """)
  void shouldExitWithTwoAndNameTheMistake(String line, String mistake) {
    Run run = Run.of(line.isEmpty() ? new String[0] : line.split(" "));

    assertThat(run.exit()).isEqualTo(2);
    assertThat(run.err()).contains(mistake);
    assertThat(run.out()).isEmpty();
  }

  @Test
  void shouldExplainEveryCommandWithExamplesAndExitCodes() {
    for (List<String> command : commands(command(), List.of())) {
      List<String> args = new ArrayList<>(command);
      args.add("--help");
      Run run = Run.of(args.toArray(new String[0]));

      assertThat(run.exit()).as("%s", args).isZero();
      assertThat(run.out())
          .as("%s", args)
          .contains("Examples:\n  ")
          .contains("Exit codes:")
          .contains("0   done", "1   failed", "2   usage", "3   refused", "4   agent unreachable");
    }
  }

  @Test
  void shouldPrintItsVersion() {
    Run run = Run.of("--version");

    assertThat(run.exit()).isZero();
    assertThat(run.out()).startsWith("remus ");
  }

  @Test
  void shouldPrintACompletionScriptThatBashAccepts() throws Exception {
    Run run = Run.of("completion");
    assertThat(run.exit()).isZero();
    assertThat(run.out()).contains("complete -F", "--backup");

    Process bash = new ProcessBuilder("bash", "-n").redirectErrorStream(true).start();
    try (var input = bash.getOutputStream()) {
      input.write(run.out().getBytes(StandardCharsets.UTF_8));
    }
    String complaint = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(bash.waitFor()).as(complaint).isZero();
  }

  private static CommandLine command() {
    return RemusCommand.on(Terminal.standard());
  }

  private static List<List<String>> commands(CommandLine line, List<String> path) {
    List<List<String>> all = new ArrayList<>();
    all.add(path);
    line.getSubcommands()
        .forEach(
            (name, command) -> {
              List<String> longer = new ArrayList<>(path);
              longer.add(name);
              all.addAll(commands(command, longer));
            });
    return all;
  }
}
