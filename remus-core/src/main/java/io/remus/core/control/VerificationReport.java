package io.remus.core.control;

import java.util.List;

/**
 * What a comparison of a standby with its primary found.
 *
 * @param vm libvirt's name of the VM
 * @param peer name of the host that holds the standby
 * @param epoch at whose end both were compared
 * @param equal whether all that was compared is the same
 * @param memory the VM's RAM
 * @param disksNotCompared replicated disks, such as {@code vda}, of which nothing is said here
 * @param seconds how long it took
 */
public record VerificationReport(
    String vm,
    String peer,
    long epoch,
    boolean equal,
    Memory memory,
    List<String> disksNotCompared,
    double seconds) {

  public VerificationReport {
    disksNotCompared = List.copyOf(disksNotCompared);
  }

  /**
   * The RAM, compared by a 64-bit sum for each piece.
   *
   * @param pieces how many were compared, of 1 MiB at most
   * @param bytes all of them together
   * @param different how many of them differ
   * @param differences the first of those
   */
  public record Memory(long pieces, long bytes, long different, List<Difference> differences) {
    /** So many differences are named. */
    public static final int NAMED = 20;

    public Memory {
      differences = List.copyOf(differences);
    }
  }

  /**
   * A piece that differs.
   *
   * @param block QEMU's name of the RAM block, such as {@code pc.ram}
   * @param offset of the piece within the block, bytes
   * @param bytes of the piece
   */
  public record Difference(String block, long offset, long bytes) {}
}
