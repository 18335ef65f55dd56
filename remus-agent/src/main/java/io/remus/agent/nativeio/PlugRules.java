package io.remus.agent.nativeio;

import com.sun.jna.Memory;
import java.util.List;

/** The netfilter rules that send the output of a VM's interfaces to its queue. */
public final class PlugRules {
  private PlugRules() {}

  /** Without a listener on the queue the kernel drops: a dead agent can never leak output. */
  public static void add(String networkInterface, int queue, String owner) throws NativeException {
    NativeException.check(
        "add the output rule for interface " + networkInterface,
        NativeLibrary.remus_plug_add(networkInterface, queue, owner));
  }

  /** Removes every rule of {@code owner}. */
  public static void remove(String owner) throws NativeException {
    NativeException.check(
        "remove the output rules of " + owner, NativeLibrary.remus_plug_remove(owner));
  }

  /** Owners that have rules, also those left by an agent that crashed. */
  public static List<String> owners() throws NativeException {
    try (Memory text = new Memory(64 * 1024)) {
      NativeException.check(
          "list the output rules", NativeLibrary.remus_plug_list(text, text.size()));
      return text.getString(0).lines().distinct().toList();
    }
  }
}
