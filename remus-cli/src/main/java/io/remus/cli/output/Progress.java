package io.remus.cli.output;

import io.remus.core.control.DrillStatus;
import io.remus.core.control.VmState;
import io.remus.core.control.VmStatus;

/**
 * The way to something that takes its time: one line that is redrawn on a terminal; elsewhere a
 * line for each new state, round and tenth of the way.
 */
public final class Progress {
  private static final int BAR = 30;

  private final Terminal terminal;
  private String last = "";
  private int lastLength;

  public Progress(Terminal terminal) {
    this.terminal = terminal;
  }

  /** Shows where the VM is now. */
  public void show(VmStatus status) {
    String line = line(status, terminal.outIsTerminal() ? bar(status) : "");
    show(line, step(status));
  }

  /** Shows how far a drill is. */
  public void show(DrillStatus drill) {
    show(
        "VM %s: drill %s %.0f %%".formatted(drill.vm(), drill.state().word(), drill.percent()),
        String.valueOf((int) (drill.percent() / 10)));
  }

  private void show(String line, String step) {
    if (terminal.outIsTerminal()) {
      redraw(line);
    } else if (!step.equals(last)) {
      last = step;
      terminal.out().println(line);
      terminal.out().flush();
    }
  }

  /** Leaves what was shown last on the screen. */
  public void end() {
    if (terminal.outIsTerminal()) {
      terminal.out().println();
    }
  }

  private void redraw(String line) {
    // Blanks over what was longer before.
    terminal.out().print("\r" + line + " ".repeat(Math.max(0, lastLength - line.length())));
    terminal.out().flush();
    lastLength = line.length();
  }

  private static String line(VmStatus status, String bar) {
    String head = "VM " + status.name() + ": " + status.state().word();
    VmStatus.Sync sync = status.sync();
    if (status.state() != VmState.SYNCING || sync == null) {
      return status.state() == VmState.PROTECTED ? head + " by " + status.peer() : head;
    }
    return "%s %s%s".formatted(head, bar, StatusText.sync(sync));
  }

  private static String bar(VmStatus status) {
    if (status.sync() == null) {
      return "";
    }
    int full = (int) Math.round(Math.max(0, Math.min(100, status.sync().percent())) * BAR / 100);
    return "[" + "#".repeat(full) + " ".repeat(BAR - full) + "] ";
  }

  private static String step(VmStatus status) {
    VmStatus.Sync sync = status.sync();
    String round = sync == null ? "" : sync.round() + " " + (int) (sync.percent() / 10);
    return status.state() + " " + round;
  }
}
