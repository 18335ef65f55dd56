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
 * @param disks those that are replicated
 * @param seconds how long it took
 */
public record VerificationReport(
    String vm,
    String peer,
    long epoch,
    boolean equal,
    Memory memory,
    List<Disk> disks,
    double seconds) {

  public VerificationReport {
    disks = List.copyOf(disks);
  }

  /** So many differences are named, of the RAM and of each disk. */
  public static final int NAMED = 20;

  /**
   * The RAM, compared by a 64-bit sum for each piece.
   *
   * @param pieces how many were compared, of 1 MiB at most
   * @param bytes all of them together
   * @param different how many of them differ
   * @param differences the first of those
   */
  public record Memory(long pieces, long bytes, long different, List<Difference> differences) {
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

  /**
   * A disk, compared by a hash for each block.
   *
   * @param disk name in the VM, such as {@code vda}
   * @param bytes of the disk that were compared; 0 when it was not
   * @param blocks how many they are, of 64 KiB at most
   * @param different how many of them differ
   * @param differences where the first of those begin on the disk, bytes
   * @param notCompared why it was not; null when it was
   */
  public record Disk(
      String disk,
      long bytes,
      long blocks,
      long different,
      List<Long> differences,
      String notCompared) {
    public Disk {
      differences = List.copyOf(differences);
    }

    /** One of which nothing is known. */
    public static Disk notCompared(String disk, String why) {
      return new Disk(disk, 0, 0, 0, List.of(), why);
    }
  }
}
