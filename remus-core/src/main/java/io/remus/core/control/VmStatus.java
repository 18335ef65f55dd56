package io.remus.core.control;

import java.time.Instant;
import java.util.List;

/**
 * One VM as one host sees it.
 *
 * @param name libvirt's name of the VM
 * @param uuid libvirt's UUID of the VM
 * @param role which copy this host holds
 * @param state where protection stands
 * @param reason why it is in this state, for the sysadmin; empty when the state says it all
 * @param since when the state was entered
 * @param peer name of the other host; null when there is none any more
 * @param spares hosts to protect the VM with when the peer is lost, the first choice first
 * @param term the newest term this host knows for the VM
 * @param intervalMs configured time from one epoch's start to the next, milliseconds
 * @param idleIntervalMs the same as long as the guest sends nothing
 * @param disks writable disks whose writes travel with their epoch, such as {@code vda}
 * @param diskDurability what an ack says of disk writes; null when none is replicated
 * @param tracker how dirty pages are found: {@code write-protect}, {@code soft-dirty} or {@code
 *     shadow}; null on a standby
 * @param output how output is held, such as {@code nft bridge queue 7400}; null when none is
 * @param epoch the newest epoch of each kind; null before the first
 * @param sync the initial synchronisation's progress; null when none is going on
 * @param figures measured since protection began; null before the first epoch
 * @param takeover how this host took the VM over; null when it did not
 * @param warnings what weakens the protection, one sentence each, such as ARP that is not held
 */
public record VmStatus(
    String name,
    String uuid,
    VmRole role,
    VmState state,
    String reason,
    Instant since,
    String peer,
    List<String> spares,
    long term,
    int intervalMs,
    int idleIntervalMs,
    List<String> disks,
    DiskDurability diskDurability,
    String tracker,
    String output,
    Epochs epoch,
    Sync sync,
    Figures figures,
    Takeover takeover,
    List<String> warnings) {

  public VmStatus {
    spares = spares == null ? List.of() : List.copyOf(spares);
    disks = disks == null ? List.of() : List.copyOf(disks);
    warnings = warnings == null ? List.of() : List.copyOf(warnings);
  }

  /**
   * The newest epoch of each kind. A primary knows what it captured, what was acked and what it
   * released; a standby knows what it committed. What a host does not know is null.
   */
  public record Epochs(Long captured, Long acked, Long released, Long committed) {
    public static Epochs ofPrimary(long captured, long acked, long released) {
      return new Epochs(captured, acked, released, null);
    }

    public static Epochs ofStandby(long committed) {
      return new Epochs(null, null, null, committed);
    }
  }

  /**
   * Progress of the initial synchronisation.
   *
   * @param round rounds of scan and copy of the memory begun so far; 0 while the disks are copied
   * @param sentBytes bytes sent since it began
   * @param remainingPages pages still to be sent in this round
   * @param dirtyPagesPerSecond how fast the guest dirties pages
   * @param bytesPerSecond how fast they are sent
   * @param percent 0 to 100, how much of the memory, or before that of the disks, is on the backup
   *     and up to date
   * @param diskRemainingBytes bytes of the disks still to be looked at
   */
  public record Sync(
      int round,
      long sentBytes,
      long remainingPages,
      double dirtyPagesPerSecond,
      double bytesPerSecond,
      double percent,
      long diskRemainingBytes) {}

  /**
   * How a standby became the running VM.
   *
   * @param epoch the committed epoch it runs on from
   * @param detectMs from the primary's last sign of life to the claim, milliseconds
   * @param activateMs from the claim to the running guest, milliseconds
   * @param at when the guest ran
   */
  public record Takeover(long epoch, double detectMs, double activateMs, Instant at) {}
}
