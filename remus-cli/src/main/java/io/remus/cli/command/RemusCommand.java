package io.remus.cli.command;

import io.remus.cli.ExitCode;
import io.remus.cli.output.Terminal;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command itself: its subcommands and what their help has in common. */
@Command(
    name = "remus",
    header = "Protects running VMs from the loss of their hypervisor.",
    synopsisSubcommandLabel = "COMMAND",
    versionProvider = Version.class,
    subcommands = {
      ProtectCommand.class,
      UnprotectCommand.class,
      StatusCommand.class,
      EventsCommand.class,
      SwitchoverCommand.class,
      FailoverCommand.class,
      RecoverCommand.class,
      HostCommand.class,
      DrillCommand.class,
      VerifyCommand.class,
      DoctorCommand.class,
      PkiCommand.class,
      CompletionCommand.class
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  remus doctor",
      "  remus protect db1 --backup hv2 --wait",
      "  remus status db1",
    })
public final class RemusCommand implements Runnable {
  private static final Map<String, String> EXIT_CODES = new LinkedHashMap<>();

  static {
    for (ExitCode exit : ExitCode.values()) {
      EXIT_CODES.put(String.valueOf(exit.code()), exit.meaning());
    }
  }

  @Spec private CommandSpec spec;

  private RemusCommand() {}

  /** The whole command line, reading and printing on a terminal. */
  public static CommandLine on(Terminal terminal) {
    CommandLine line = new CommandLine(new RemusCommand(), new CommandFactory(terminal));
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.getCommandSpec()
        .addOption(
            OptionSpec.builder("-V", "--version")
                .versionHelp(true)
                .arity("0")
                .description("Print the version and exit.")
                .build());
    describe(line);
    return line;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  /** Every command has --help, and every help ends with the exit codes. */
  private static void describe(CommandLine line) {
    CommandSpec spec = line.getCommandSpec();
    spec.addOption(
        OptionSpec.builder("-h", "--help")
            .usageHelp(true)
            .arity("0")
            .description("Print this help and exit.")
            .build());
    spec.usageMessage().exitCodeListHeading("%nExit codes:%n").exitCodeList(EXIT_CODES).width(100);
    line.getSubcommands().values().forEach(RemusCommand::describe);
  }
}
