package io.remus.core.control;

import java.util.List;

/**
 * What became of the VMs of a host that is to be maintained.
 *
 * @param moved VMs that run on their backup now
 * @param left VMs that still run on this host, each with the reason
 */
public record Drain(List<String> moved, List<Left> left) {
  /** A VM that was not moved. */
  public record Left(String vm, String reason) {}

  public Drain {
    moved = List.copyOf(moved);
    left = List.copyOf(left);
  }
}
