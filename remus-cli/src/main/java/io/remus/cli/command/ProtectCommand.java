package io.remus.cli.command;

import io.remus.cli.ExitCode;
import io.remus.cli.Failure;
import io.remus.cli.client.AgentClient;
import io.remus.cli.output.Progress;
import io.remus.cli.output.Terminal;
import io.remus.core.control.DiskDurability;
import io.remus.core.control.ProtectRequest;
import io.remus.core.control.VmState;
import io.remus.core.control.VmStatus;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Begins to protect a VM, and waits until it is protected when asked to. */
@Command(
    name = "protect",
    header = "Protect a running VM by a copy on another host.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  remus protect db1 --backup hv2 --wait",
      "  remus protect db1 --backup hv2 --spare hv3 --wait",
      "  remus protect db1 --backup auto --wait",
      "  remus protect db1 --backup hv2 --disk-durability journal",
      "  remus protect router --backup hv2 --interval 50ms..100ms --disk none",
    })
final class ProtectCommand implements Callable<Integer> {
  private static final long POLL_MS = 200;

  private final Terminal terminal;

  @Mixin private AgentOptions agent;

  @Parameters(
      paramLabel = "VM",
      converter = NameConverter.class,
      description = "Name of the VM, as libvirt knows it.")
  private String vm;

  @Option(
      names = "--backup",
      paramLabel = "HOST",
      required = true,
      converter = NameConverter.class,
      description = {
        "The host that keeps the copy: a name of [peers] in the configuration;",
        "auto: any that fits, where etcd is the arbiter."
      })
  private String backup;

  @Option(
      names = "--spare",
      paramLabel = "HOST",
      converter = NameConverter.class,
      description =
          "A host to protect the VM with when the backup is lost; may be given again, the first"
              + " choice first; auto is any that fits. Needs an arbiter.")
  private List<String> spares = List.of();

  @Option(
      names = "--interval",
      paramLabel = "TIME",
      converter = IntervalConverter.class,
      description = {
        "From one epoch's start to the next, 10ms to 1s; or a range, such as 25ms..100ms: the first",
        "while the guest sends, the second while nobody waits (default: the agent's, usually",
        "25ms..200ms)."
      })
  private IntervalConverter.Interval interval = IntervalConverter.Interval.CONFIGURED;

  @Option(
      names = "--disk",
      paramLabel = "MODE",
      description = {
        "mirror (default): every write to a disk travels with its epoch.",
        "none: writable disks are not replicated; both hosts must see the same ones."
      })
  private DiskMode disk;

  @Option(
      names = "--disk-durability",
      paramLabel = "WHERE",
      description = {
        "Where the backup has an epoch's disk writes when it acks the epoch:",
        "memory (default): in its kernel, which survives the loss of this host;",
        "journal: on its disk, which survives the loss of power on both, and takes longer."
      })
  private DiskDurability durability;

  @Option(names = "--wait", description = "Return when the VM is protected, and show progress.")
  private boolean wait;

  ProtectCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  /** What to do with writable disks. */
  enum DiskMode {
    MIRROR,
    NONE
  }

  @Override
  public Integer call() throws InterruptedException {
    AgentClient client = agent.client();
    String diskWord = disk == null ? null : disk.name().toLowerCase(Locale.ROOT);
    VmStatus status =
        client.protect(
            vm,
            new ProtectRequest(
                backup, interval.ms(), interval.idleMs(), diskWord, durability, spares));
    if (!wait) {
      terminal.out().printf("VM %s: %s; see `remus status %s`%n", vm, status.state().word(), vm);
      return ExitCode.DONE.code();
    }
    waitUntilProtected(client, status);
    return ExitCode.DONE.code();
  }

  private void waitUntilProtected(AgentClient client, VmStatus first) throws InterruptedException {
    Progress progress = new Progress(terminal);
    VmStatus status = first;
    progress.show(status);
    while (status.state() == VmState.CONNECTING || status.state() == VmState.SYNCING) {
      Thread.sleep(POLL_MS);
      status = client.vm(vm);
      progress.show(status);
    }
    progress.end();
    if (status.state() != VmState.PROTECTED) {
      String reason = status.reason().isEmpty() ? status.state().sentence() : status.reason();
      throw new Failure(
          ExitCode.FAILED,
          "VM %s is not protected but %s: %s".formatted(vm, status.state().word(), reason),
          "The guest runs on. See `remus events` for what happened.");
    }
  }
}
