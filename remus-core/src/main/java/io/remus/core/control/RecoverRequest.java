package io.remus.core.control;

import io.remus.core.control.Copies.Source;

/**
 * Starts a VM from a copy of its disks on this host.
 *
 * @param from which copy
 * @param force also when another host may have a newer one, which is then lost
 */
public record RecoverRequest(Source from, boolean force) {

  /**
   * Refuses wrong values.
   *
   * @throws IllegalArgumentException naming the JSON field that is missing
   */
  public RecoverRequest {
    if (from == null) {
      throw new IllegalArgumentException("from: \"primary\" or \"replica\" is missing");
    }
  }
}
