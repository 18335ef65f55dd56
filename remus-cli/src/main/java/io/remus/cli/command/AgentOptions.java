package io.remus.cli.command;

import io.remus.cli.client.AgentClient;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which agent a command talks to. */
final class AgentOptions {
  @Option(
      names = "--socket",
      paramLabel = "FILE",
      defaultValue = "/run/remus/agent.sock",
      description = "The agent's socket (default: ${DEFAULT-VALUE}).")
  private Path socket;

  AgentClient client() {
    return new AgentClient(socket);
  }
}
