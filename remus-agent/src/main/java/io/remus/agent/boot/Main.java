package io.remus.agent.boot;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.remus.agent.conductor.Agent;
import io.remus.agent.conductor.Doctor;
import io.remus.agent.config.AgentConfig;
import io.remus.agent.config.ConfigException;
import io.remus.agent.config.ConfigReader;
import io.remus.agent.control.ControlServer;
import io.remus.agent.guest.GuestException;
import io.remus.agent.nativeio.Threads;
import io.remus.agent.peer.PeerException;
import io.remus.core.control.DoctorReport;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The daemon. Runs in the foreground until SIGTERM or SIGINT. */
@Command(
    name = "remus-agent",
    mixinStandardHelpOptions = true,
    versionProvider = Main.PrintedVersion.class,
    description = "Protects the VMs of this host, and stands by for those of its peers.",
    footer = {
      "",
      "Exit codes: 0 stopped in order, 1 failed, 2 wrong usage or configuration.",
      "",
      "Examples:",
      "  remus-agent                     as systemd starts it",
      "  remus-agent doctor              look at this host while no agent runs"
    })
public final class Main implements Callable<Integer> {
  /** Heartbeats and acks come before the guests' own work; threads inherit it. */
  private static final int NICE = -10;

  private static final Logger LOG = LoggerFactory.getLogger(Main.class);

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "Configuration (default: /etc/remus/remus.conf).",
      scope = CommandLine.ScopeType.INHERIT)
  private Path file = AgentConfig.FILE;

  /** Starts the program. */
  public static void main(String[] arguments) {
    CommandLine commandLine = new CommandLine(new Main());
    commandLine.setExecutionExceptionHandler(
        (e, command, parsed) -> {
          command.getErr().println("remus-agent: " + e.getMessage());
          LOG.debug("failed", e);
          return e instanceof ConfigException || isKeyMistake(e) ? 2 : 1;
        });
    System.exit(commandLine.execute(arguments));
  }

  private static boolean isKeyMistake(Exception e) {
    return e instanceof PeerException peer && peer.reason() == PeerException.Reason.TLS_FILES;
  }

  private AgentConfig config() throws ConfigException, IOException {
    return ConfigReader.read(file, InetAddress.getLocalHost().getHostName());
  }

  @Override
  public Integer call() throws Exception {
    CountDownLatch stop = new CountDownLatch(1);
    CountDownLatch stopped = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  stop.countDown();
                  awaitQuietly(stopped);
                },
                "shutdown"));
    try {
      run(config(), stop);
      return 0;
    } finally {
      stopped.countDown();
    }
  }

  private static void run(AgentConfig config, CountDownLatch stop)
      throws IOException, GuestException, InterruptedException {
    Threads.nice(NICE);
    EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    try (SystemdNotify systemd = SystemdNotify.to(System.getenv("NOTIFY_SOCKET"), loop);
        Agent agent = new Agent(config);
        ControlServer control =
            ControlServer.start(
                config.control().socket(),
                config.control().group(),
                new AgentOperations(agent, config),
                agent.events())) {
      LOG.info("{} is ready, control socket {}", config.host(), config.control().socket());
      systemd.ready();
      stop.await();
      LOG.info("stopping: guests keep running, held output is released in order");
      systemd.stopping();
    } finally {
      loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Command(name = "doctor", description = "Looks at this host's prerequisites.")
  int doctor() throws ConfigException, IOException, GuestException {
    DoctorReport report = Doctor.withoutAgent(config());
    for (DoctorReport.Check check : report.checks()) {
      System.out.printf("%-8s %-28s %s%n", check.verdict().word(), check.name(), check.found());
      if (!check.advice().isEmpty()) {
        System.out.printf("%-8s %-28s -> %s%n", "", "", check.advice());
      }
    }
    return report.worst() == DoctorReport.Verdict.FAILED ? 1 : 0;
  }

  /** For {@code --version}. */
  static final class PrintedVersion implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"remus-agent " + Version.TEXT};
    }
  }
}
