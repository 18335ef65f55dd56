package io.remus.agent.guest;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.libvirt.Domain;
import org.libvirt.Domain.BlockCopyFlags;
import org.libvirt.Domain.BlockCopyParameters;
import org.libvirt.LibvirtException;
import org.libvirt.TypedParameter;
import org.libvirt.TypedUlongParameter;

/**
 * Block copy jobs of one running VM, each to an NBD export on this host. A job copies the disk and
 * from then on mirrors every write of the guest before the guest sees it done (QEMU's
 * "write-blocking" copy mode); the VM's definition is not touched.
 */
public final class DiskMirrors {
  private static final long END_LIMIT_NS = 10_000_000_000L;
  private static final long POLL_NS = 20_000_000;

  /**
   * How far the jobs are.
   *
   * @param jobs how many there are
   * @param ready how many have copied everything and mirror from now on
   * @param doneBytes copied so far, of all
   * @param totalBytes to be copied, of all
   */
  public record Progress(int jobs, int ready, long doneBytes, long totalBytes) {}

  private final Hypervisor hypervisor;
  private final Domain domain;
  private final Monitor monitor;
  private final String uuid;
  private final String vm;

  /**
   * @param domain on a connection of the VM's own, for what is asked in every epoch
   */
  DiskMirrors(Hypervisor hypervisor, Domain domain, Monitor monitor, String uuid, String vm) {
    this.hypervisor = hypervisor;
    this.domain = domain;
    this.monitor = monitor;
    this.uuid = uuid;
    this.vm = vm;
  }

  /**
   * Begins to copy.
   *
   * @param target disk, such as {@code vda}
   * @param socket of an NBD export of the same name and size
   * @param bytesPerSecond most to copy, beside what the guest writes; 0 for no limit
   */
  public void start(String target, Path socket, long bytesPerSecond) throws GuestException {
    String destination =
        """
        <disk type='network' device='disk'>
          <driver name='qemu' type='raw' discard='unmap'/>
          <source protocol='nbd' name='%s'>
            <host transport='unix' socket='%s'/>
          </source>
          <target dev='%s'/>
        </disk>"""
            .formatted(target, socket, target);
    TypedParameter[] parameters = {
      new TypedUlongParameter(BlockCopyParameters.BANDWIDTH, bytesPerSecond)
    };
    try {
      domain.blockCopy(
          target,
          destination,
          parameters,
          BlockCopyFlags.REUSE_EXT
              | BlockCopyFlags.TRANSIENT_JOB
              | BlockCopyFlags.SYNCHRONOUS_WRITES);
    } catch (LibvirtException e) {
      throw new GuestException("cannot mirror disk %s of VM %s".formatted(target, vm), e);
    }
  }

  /** How far the jobs for these disks are. */
  public Progress progress(List<String> targets) throws GuestException {
    int jobs = 0;
    int ready = 0;
    long done = 0;
    long total = 0;
    for (JsonNode job : monitor.run(Monitor.command("query-block-jobs"))) {
      String device = job.path("device").asText();
      if (targets.stream().anyMatch(target -> device.startsWith("copy-" + target + "-"))) {
        jobs++;
        ready +=
            job.path("ready").asBoolean() && job.path("io-status").asText().equals("ok") ? 1 : 0;
        done += job.path("offset").asLong();
        total += job.path("len").asLong();
      }
    }
    return new Progress(jobs, ready, done, total);
  }

  /**
   * Ends a job; the disk stays what it was. Nothing happens when there is none. The domain is
   * looked up anew: libvirtd may have been restarted since the job began.
   *
   * @throws GuestException when it is still there afterwards
   */
  public void end(String target) throws GuestException {
    end(hypervisor, uuid, vm, target);
  }

  static void end(Hypervisor hypervisor, String uuid, String vm, String target)
      throws GuestException {
    long deadlineNs = System.nanoTime() + END_LIMIT_NS;
    while (isMirrored(hypervisor, uuid, target)) {
      String refused = tryToEnd(hypervisor, uuid, target);
      if (System.nanoTime() - deadlineNs > 0) {
        throw new GuestException(
            GuestException.Kind.LIBVIRT,
            "the mirror of disk %s of VM %s does not end%s".formatted(target, vm, refused),
            "end it: virsh blockjob %s %s --abort".formatted(vm, target));
      }
      if (!refused.isEmpty()) {
        LockSupport.parkNanos(POLL_NS);
      }
    }
  }

  /** Returns why it could not; empty when it could. */
  private static String tryToEnd(Hypervisor hypervisor, String uuid, String target)
      throws GuestException {
    try {
      Domain domain = hypervisor.lookupUuid(uuid);
      if (domain != null) {
        domain.blockJobAbort(target, 0);
      }
      return "";
    } catch (LibvirtException e) {
      return ": " + e.getMessage();
    }
  }

  private static boolean isMirrored(Hypervisor hypervisor, String uuid, String target)
      throws GuestException {
    if (!hypervisor.runs(uuid)) {
      return false;
    }
    try {
      Domain domain = hypervisor.lookupUuid(uuid);
      return domain != null
          && new DomainDescription(domain.getXMLDesc(0))
              .disks().stream().anyMatch(d -> d.target().equals(target) && d.mirror() != null);
    } catch (LibvirtException e) {
      if (!hypervisor.runs(uuid)) {
        return false;
      }
      throw new GuestException("cannot ask libvirt for the disks of the VM", e);
    }
  }

  /** Name of the socket of a disk's export, by which a mirror of an earlier agent is known. */
  public static String socketName(String target) {
    return "remus." + target + ".nbd";
  }
}
