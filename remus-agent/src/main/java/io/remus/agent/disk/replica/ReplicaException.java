package io.remus.agent.disk.replica;

import java.io.IOException;

/** Disks that must not be used as a replica; the message names the VM and says what to do. */
public final class ReplicaException extends IOException {
  private static final long serialVersionUID = 1L;

  ReplicaException(String vm, String problem) {
    super("VM %s: %s".formatted(vm, problem));
  }
}
