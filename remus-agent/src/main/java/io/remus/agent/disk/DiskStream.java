package io.remus.agent.disk;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoopGroup;
import io.remus.agent.capture.DiskBarrier;
import io.remus.agent.disk.nbd.NbdServer;
import io.remus.agent.guest.DiskMirrors;
import io.remus.agent.guest.GuestException;
import io.remus.agent.guest.RunningGuest;
import io.remus.agent.nativeio.Counter;
import io.remus.agent.socket.Access;
import io.remus.core.wire.DiskImage;
import io.remus.core.wire.Frame;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The disks of one VM on the primary: for each an export, and a copy job of QEMU that mirrors to it
 * every write before the guest sees it done. What they write is one log, in the guest's order.
 */
public final class DiskStream implements DiskBarrier, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DiskStream.class);

  private final RunningGuest guest;
  private final EventLoopGroup group;
  private final ByteBufAllocator memory;
  private final long copyRate;
  private final WriteLog log;
  private final List<ReplicaBlocks> replicas = new ArrayList<>();
  private final List<DiskExport> exports = new ArrayList<>();
  private final List<NbdServer> servers = new ArrayList<>();
  private final List<String> targets;
  private final DiskMirrors mirrors;

  /** An export has refused a request, or lost its client. */
  private volatile boolean broken;

  /**
   * @param memory for the data of writes
   * @param boundBytes writes that are not sent yet before the guest has to wait
   * @param copyRate most bytes a second that the initial copy reads; 0 for no limit
   */
  public DiskStream(
      RunningGuest guest,
      EventLoopGroup group,
      ByteBufAllocator memory,
      long boundBytes,
      long copyRate) {
    this.guest = guest;
    this.group = group;
    this.memory = memory;
    this.copyRate = copyRate;
    this.log = new WriteLog(boundBytes);
    this.mirrors = guest.mirrors();
    this.targets = guest.disks().stream().map(DiskImage::target).toList();
    for (DiskImage image : guest.disks()) {
      ReplicaBlocks replica = new ReplicaBlocks(image.bytes());
      exports.add(new DiskExport(exports.size(), image, log, replica));
      replicas.add(replica);
    }
  }

  /**
   * The backup tells what a replica holds already. Before {@link #start}.
   *
   * @throws IllegalArgumentException when there is no such disk or block
   */
  public void learn(Frame.BlockHashes told) {
    if (told.disk() >= replicas.size()) {
      throw new IllegalArgumentException("hashes of disk " + told.disk() + ", which is none");
    }
    replicas.get(told.disk()).learn(told.firstBlock(), told.hashes());
  }

  /** Whether there is nothing to replicate. */
  public boolean isEmpty() {
    return exports.isEmpty();
  }

  public WriteLog log() {
    return log;
  }

  /** Begins to copy. */
  public void start() throws IOException, GuestException {
    for (DiskExport export : exports) {
      var socket = guest.exportSocket(export.name());
      Access qemu = Access.user(guest.uid(), guest.gid());
      servers.add(NbdServer.listen(socket, qemu, export, group, memory, () -> broken = true));
      mirrors.start(export.name(), socket, copyRate);
    }
  }

  /** How far the copy is. */
  public DiskMirrors.Progress progress() throws GuestException {
    DiskMirrors.Progress progress = mirrors.progress(targets);
    if (progress.jobs() < targets.size()) {
      throw lost();
    }
    return progress;
  }

  /** Everything is copied: from now on all that is written is logged. */
  public void copied() {
    exports.forEach(DiskExport::copied);
    replicas.clear();
  }

  /** Begins to hash what the guest's own disks hold, at one time only. After {@link #copied}. */
  public SourceHashes hash() {
    SourceHashes hashes =
        new SourceHashes(
            guest.name(), log, guest.diskSources(), () -> tellWritesTo(WriteWatch.NONE));
    tellWritesTo(hashes);
    hashes.start();
    return hashes;
  }

  private void tellWritesTo(WriteWatch watch) {
    exports.forEach(export -> export.watch(watch));
  }

  @Override
  public void guestStops() {
    log.guestStops();
  }

  @Override
  public void guestStopped() {
    log.guestStopped();
  }

  @Override
  public Counter count() {
    return isEmpty() ? null : log.count();
  }

  /**
   * A job that is there now has been there all the time: one that ended does not come back. But
   * QEMU may notice up to 100 ms late that its target failed, and mirrors nothing meanwhile; a
   * target fails only by what is known here.
   */
  @Override
  public void verify() throws GuestException {
    if (isEmpty()) {
      return;
    }
    if (log.isClosed()) {
      throw new GuestException(
          GuestException.Kind.LIBVIRT,
          "VM %s wrote on while it was to be stopped, more than there is memory for"
              .formatted(guest.name()),
          "see what keeps libvirt busy with the VM, or raise memory.disk");
    }
    if (mirrors.progress(targets).ready() < targets.size() || broken) {
      throw lost();
    }
  }

  private GuestException lost() {
    return new GuestException(
        GuestException.Kind.LIBVIRT,
        "the copy job of a disk of VM %s (%s) has ended or failed"
            .formatted(guest.name(), String.join(", ", targets)),
        "see QEMU's log of the VM; `virsh blockjob` must not be used while it is protected");
  }

  /** Nobody waits for the backup any more: the guest writes to its own disks at their own speed. */
  public void letGo() {
    log.close();
  }

  /**
   * Ends the jobs; the disks are what they were. A job that cannot be ended now, as libvirt does
   * not answer, ends at the guest's next write, for its target is gone.
   */
  @Override
  public void close() {
    letGo();
    for (String target : targets) {
      try {
        mirrors.end(target);
      } catch (GuestException e) {
        LOG.warn("VM {}: {}; {}", guest.name(), e.getMessage(), e.advice());
      }
    }
    servers.forEach(this::close);
  }

  private void close(NbdServer server) {
    try {
      server.close();
    } catch (IOException e) {
      LOG.warn("VM {}: {}", guest.name(), e.getMessage());
    }
  }
}
