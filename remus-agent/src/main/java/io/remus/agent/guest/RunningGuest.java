package io.remus.agent.guest;

import io.remus.agent.guest.DomainDescription.Nic;
import io.remus.agent.nativeio.MemoryBlock;
import io.remus.core.wire.DiskImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.libvirt.Connect;
import org.libvirt.Domain;
import org.libvirt.Domain.XMLFlags;
import org.libvirt.LibvirtException;

/** A running VM that can be protected: looked at once, refused with the reason when it cannot. */
public final class RunningGuest implements AutoCloseable {
  /**
   * One RAM block as the peer is told of it.
   *
   * @param name QEMU's name, the same on both hosts
   */
  public record Ram(String name, long bytes) {}

  /**
   * How a guest is found.
   *
   * @param misfit what a standby that was made for it would not be able to carry on, for a human;
   *     null when it would
   * @param held it stands still because somebody wants it to, and a copy of it has to do the same
   */
  public record Look(String misfit, boolean held) {}

  private static final String GATE = "remus.gate";

  /** Why a guest that sleeps cannot be protected. */
  public static final String SLEEPS = "it sleeps (S3), and QEMU cannot wake it on another host";

  /** No change stays unseen for longer, should a libvirt note it down late. */
  private static final long ASK_EVERY_NS = 1_000_000_000L;

  /** As many blocks as the hashes of a replica can be told of and compared with. */
  private static final long MOST_DISK_BYTES = 7L << 40;

  private final Hypervisor hypervisor;
  private final Connect connect;
  private final Domain domain;
  private final Monitor monitor;
  private final DomainDescription description;
  private final String xml;
  private final String inactiveXml;
  private final QemuProcess process;
  private final List<RamLocator.Block> blocks;
  private final List<DiskImage> disks;
  private final Hardware hardware;

  /** What libvirt had noted when it last said that the hardware is the same. */
  private volatile String sameNote = "";

  private volatile long askedAtNs;

  private RunningGuest(
      Hypervisor hypervisor,
      Connect connect,
      Domain domain,
      Monitor monitor,
      DomainDescription description,
      String liveXml,
      String xml,
      String inactiveXml,
      QemuProcess process,
      List<RamLocator.Block> blocks,
      List<DiskImage> disks) {
    this.hypervisor = hypervisor;
    this.connect = connect;
    this.domain = domain;
    this.monitor = monitor;
    this.description = description;
    this.xml = xml;
    this.inactiveXml = inactiveXml;
    this.process = process;
    this.blocks = blocks;
    this.disks = disks;
    this.hardware = Hardware.of(liveXml);
  }

  /**
   * Opens a VM for protection.
   *
   * @param withoutDisks the admin accepts that writable disks are not replicated
   * @throws GuestException naming the VM, the device and what to do
   */
  public static RunningGuest open(Hypervisor hypervisor, String vm, boolean withoutDisks)
      throws GuestException {
    requireRunning(hypervisor, vm);
    Connect connect = null;
    try {
      connect = Hypervisor.open();
      Domain domain = connect.domainLookupByName(vm);
      RunningGuest guest = inspect(hypervisor, connect, domain, vm, withoutDisks);
      connect = null;
      return guest;
    } catch (LibvirtException e) {
      throw new GuestException("cannot open VM " + vm, e);
    } finally {
      closeQuietly(connect);
    }
  }

  private static RunningGuest inspect(
      Hypervisor hypervisor, Connect connect, Domain domain, String vm, boolean withoutDisks)
      throws GuestException, LibvirtException {
    Monitor monitor = new Monitor(domain, vm);
    endStrayMirrors(hypervisor, domain);
    // Read before all else that is made of it: what changes meanwhile is found by the first look.
    String liveXml = domain.getXMLDesc(0);
    DomainDescription live = new DomainDescription(liveXml);
    requireProtectable(vm, live, withoutDisks);
    String runState = monitor.runState();
    if (!runState.equals("running")) {
      throw new GuestException(
          GuestException.Kind.NOT_RUNNING,
          "VM %s is not running, it is '%s'".formatted(vm, runState),
          switch (runState) {
            // A VM that was started paused is in prelaunch.
            case "paused", "prelaunch" -> "resume it: virsh resume " + vm;
            case "suspended" -> "wake it: virsh dompmwakeup " + vm;
            default -> "find out why it stopped: virsh domstate --reason " + vm;
          });
    }
    QemuProcess process = QemuProcess.of(vm);
    List<RamLocator.Block> blocks = new RamLocator(monitor, process, vm).locate();
    String inactive =
        domain.isPersistent() == 1 ? domain.getXMLDesc(XMLFlags.INACTIVE | XMLFlags.SECURE) : null;
    return new RunningGuest(
        hypervisor,
        connect,
        domain,
        monitor,
        live,
        liveXml,
        domain.getXMLDesc(XMLFlags.MIGRATABLE | XMLFlags.SECURE),
        inactive,
        process,
        blocks,
        withoutDisks ? List.of() : images(domain, live));
  }

  /**
   * An agent that died left its copy jobs behind; they end by themselves only when the guest
   * writes.
   */
  private static void endStrayMirrors(Hypervisor hypervisor, Domain domain)
      throws GuestException, LibvirtException {
    DomainDescription live = new DomainDescription(domain.getXMLDesc(0));
    for (DiskDescription disk : live.disks()) {
      if (disk.mirror() != null
          && disk.mirror().endsWith("/" + DiskMirrors.socketName(disk.target()))) {
        DiskMirrors.end(hypervisor, live.uuid(), live.name(), disk.target());
      }
    }
  }

  private static List<DiskImage> images(Domain domain, DomainDescription live)
      throws GuestException, LibvirtException {
    List<DiskImage> images = new ArrayList<>();
    for (DiskDescription disk : live.writableDisks()) {
      long bytes = domain.blockInfo(disk.target()).getCapacity();
      if (bytes > MOST_DISK_BYTES) {
        throw new GuestException(
            GuestException.Kind.UNPROTECTABLE,
            "disk %s of VM %s has more than %d TiB, which cannot be replicated"
                .formatted(disk.target(), live.name(), MOST_DISK_BYTES >> 40),
            "split it, or protect the VM with --disk none");
      }
      if (bytes == 0) {
        throw new GuestException(
            GuestException.Kind.UNPROTECTABLE,
            "disk %s of VM %s is empty: %s has no bytes"
                .formatted(disk.target(), live.name(), disk.source()),
            "give it a size, or detach it");
      }
      images.add(new DiskImage(disk.target(), bytes));
    }
    return images;
  }

  private static void requireRunning(Hypervisor hypervisor, String vm) throws GuestException {
    Domain domain = hypervisor.lookup(vm);
    if (domain == null) {
      throw new GuestException(
          GuestException.Kind.UNKNOWN_VM,
          "libvirt on this host knows no VM '" + vm + "'",
          "list the VMs: virsh list --all");
    }
    try {
      if (domain.isActive() != 1) {
        throw new GuestException(
            GuestException.Kind.NOT_RUNNING,
            "VM " + vm + " is not running",
            "start it: virsh start " + vm);
      }
    } catch (LibvirtException e) {
      throw new GuestException("cannot ask libvirt for VM " + vm, e);
    }
  }

  private static void requireProtectable(
      String vm, DomainDescription description, boolean withoutDisks) throws GuestException {
    Optional<DomainDescription.Obstacle> obstacle = description.obstacle();
    if (obstacle.isPresent()) {
      throw new GuestException(
          GuestException.Kind.UNPROTECTABLE,
          "VM " + vm + " cannot be protected: " + obstacle.get().reason(),
          obstacle.get().advice());
    }
    if (!withoutDisks) {
      requireReplicable(vm, description);
    }
    for (Nic nic : description.nics()) {
      if (!Files.exists(Path.of("/sys/class/net", nic.tap(), "brport"))) {
        throw new GuestException(
            GuestException.Kind.UNPROTECTABLE,
            "interface %s of VM %s is not plugged into a Linux bridge, so its output cannot be held"
                .formatted(nic.tap(), vm),
            "plug it into a bridge of this host");
      }
    }
  }

  private static void requireReplicable(String vm, DomainDescription description)
      throws GuestException {
    Optional<DomainDescription.Obstacle> obstacle = description.diskObstacle();
    if (obstacle.isPresent()) {
      throw new GuestException(
          GuestException.Kind.UNPROTECTABLE,
          "the disks of VM %s cannot be replicated: %s".formatted(vm, obstacle.get().reason()),
          obstacle.get().advice());
    }
    for (DiskDescription disk : description.writableDisks()) {
      if (disk.source().isEmpty()) {
        throw new GuestException(
            GuestException.Kind.UNPROTECTABLE,
            "disk %s of VM %s has no source".formatted(disk.target(), vm),
            "attach its image, or detach the disk");
      }
      if (disk.mirror() != null) {
        throw new GuestException(
            GuestException.Kind.UNPROTECTABLE,
            "disk %s of VM %s is being copied by another block job already"
                .formatted(disk.target(), vm),
            "wait for its end, or end it: virsh blockjob %s %s --abort"
                .formatted(vm, disk.target()));
      }
    }
  }

  public String name() {
    return description.name();
  }

  public String uuid() {
    return description.uuid();
  }

  /** Description that another host can start. */
  public String xml() {
    return xml;
  }

  /** Description to define where the VM ends up; null for a transient VM. */
  public String inactiveXml() {
    return inactiveXml;
  }

  /** Machine type, such as {@code pc-i440fx-7.2}. */
  public String machine() {
    return description.machine();
  }

  /** Process id of QEMU. */
  public int pid() {
    return process.pid();
  }

  /** Whether QEMU has its memory still; a process that is dying has none long before it is gone. */
  public boolean lives() {
    try {
      return !process.writableMappings().isEmpty();
    } catch (GuestException e) {
      return false;
    }
  }

  /** Its RAM, in bytes. */
  public long memoryBytes() {
    return description.memoryBytes();
  }

  /** Bridges of this host that it is plugged into. */
  public Set<String> bridges() {
    return description.nics().stream()
        .map(Nic::bridge)
        .filter(bridge -> !bridge.isEmpty())
        .collect(Collectors.toSet());
  }

  /** Host interfaces that the guest's packets come out of. */
  public List<String> taps() {
    return description.taps();
  }

  /** RAM blocks in page number order, as told to the peer. */
  public List<Ram> ram() {
    return blocks.stream().map(b -> new Ram(b.name(), b.memory().bytes())).toList();
  }

  /** Where the RAM blocks are, in the same order. */
  public List<MemoryBlock> memory() {
    return blocks.stream().map(RamLocator.Block::memory).toList();
  }

  /** The disks whose writes have to travel with their epoch; none when the admin wants it so. */
  public List<DiskImage> disks() {
    return disks;
  }

  /** What the replicated disks are on this host, in the same order. */
  public List<DiskSource> diskSources() {
    return disks.stream().map(this::source).toList();
  }

  private DiskSource source(DiskImage image) {
    DiskDescription disk =
        description.disks().stream()
            .filter(one -> one.target().equals(image.target()))
            .findFirst()
            .orElseThrow();
    String obstacle =
        disk.file() == null
            ? "it is no file or device of this host"
            : disk.format().equals("raw") ? null : "format " + disk.format();
    return new DiskSource(
        image.target(), image.bytes(), obstacle == null ? disk.file() : null, obstacle);
  }

  /** The copy jobs of its disks. */
  public DiskMirrors mirrors() {
    return new DiskMirrors(hypervisor, domain, monitor, uuid(), name());
  }

  /** Where the socket of a disk's export belongs: a directory QEMU may use. */
  public Path exportSocket(String target) {
    return process.directory().resolve(DiskMirrors.socketName(target));
  }

  /** Where the gate's FIFO belongs. */
  public String gatePath() {
    return process.directory().resolve(GATE).toString();
  }

  /** Owner of the gate. */
  public int uid() {
    return process.uid();
  }

  /** Group of the gate. */
  public int gid() {
    return process.gid();
  }

  /**
   * Stops the guest, writes its device state to the gate, lets it run again; returns when all that
   * is over. To be called from a thread of its own while another one reads the gate.
   */
  public void saveDeviceState() throws GuestException {
    monitor.run(Monitor.command("xen-save-devices-state", "filename", gatePath(), "live", false));
  }

  /** Stops the guest until {@link Hypervisor#resume}; nothing happens when it is stopped. */
  public void suspend() throws GuestException {
    try {
      domain.suspend();
    } catch (LibvirtException e) {
      throw new GuestException("cannot stop the guest of VM " + name(), e);
    }
  }

  /** Whether it has writable disks that the backup does not have a copy of, but must open. */
  public boolean sharesDisks() {
    return disks.isEmpty() && !description.writableDisks().isEmpty();
  }

  /**
   * Looks at the guest. Right after {@link #saveDeviceState} it tells of that very pause: libvirt
   * does one thing at a time with a VM, so what it plugs in or out came before the pause and is
   * seen, or comes after this. Libvirt is asked when its note says something new, and now and then.
   */
  public Look look() throws GuestException {
    Optional<DomainNote> note = DomainNote.read(name());
    boolean known = note.isPresent() && note.get().runs() && note.get().domain().equals(sameNote);
    long nowNs = System.nanoTime();
    if (known && nowNs - askedAtNs < ASK_EVERY_NS) {
      return new Look(null, false);
    }
    Look look = ask();
    askedAtNs = nowNs;
    sameNote = look.misfit() == null ? note.map(DomainNote::domain).orElse("") : "";
    return look;
  }

  private Look ask() throws GuestException {
    try {
      Optional<String> change = hardware.changeTo(Hardware.of(domain.getXMLDesc(0)));
      if (change.isPresent()) {
        return new Look(
            "its hardware changed (%s) and the standby no longer fits".formatted(change.get()),
            false);
      }
      return standing(monitor.runState());
    } catch (LibvirtException e) {
      throw new GuestException("cannot ask libvirt what VM " + name() + " is made of", e);
    }
  }

  private Look standing(String runState) throws GuestException {
    return switch (runState) {
      case "suspended" -> new Look(SLEEPS, false);
      case "save-vm" -> {
        // QEMU 9 and newer leaves a guest there whose device state was saved while it slept, and
        // from there nothing wakes it. To QEMU this is to go on sleeping, to libvirt it is to run.
        monitor.run(Monitor.command("cont"));
        yield new Look(SLEEPS, false);
      }
      case "paused", "guest-panicked", "watchdog" -> new Look(null, true);
      // An I/O error of this host's disk is not one of the other's, and a shutdown goes on there.
      default -> new Look(null, false);
    };
  }

  /** Whether it sleeps as far as libvirt has noted: it is not to be disturbed for its state. */
  public boolean sleeps() {
    return DomainNote.read(name()).filter(DomainNote::sleeps).isPresent();
  }

  /** From now on the VM cannot be migrated or saved until {@link Hypervisor#allowMigration}. */
  public void forbidMigration() throws GuestException {
    new MigrationGuard(monitor, process).raise();
  }

  @Override
  public void close() {
    closeQuietly(connect);
  }

  private static void closeQuietly(Connect connect) {
    if (connect != null) {
      try {
        connect.close();
      } catch (LibvirtException e) {
        // The daemon is gone, and with it the connection.
        org.slf4j.LoggerFactory.getLogger(RunningGuest.class)
            .debug("closing a libvirt connection: {}", e.getMessage());
      }
    }
  }
}
