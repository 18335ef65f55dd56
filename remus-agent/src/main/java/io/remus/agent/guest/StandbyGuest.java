package io.remus.agent.guest;

import io.remus.agent.guest.DomainDescription.Nic;
import io.remus.agent.nativeio.MemoryBlock;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.libvirt.Domain;
import org.libvirt.Domain.CreateFlags;
import org.libvirt.LibvirtException;

/**
 * A QEMU that waits for a migration stream ({@code -incoming defer}), costs no CPU, and has its RAM
 * written from outside. Activation sends it a stream that holds device state only.
 */
public final class StandbyGuest {
  /** A standby needs its RAM and what QEMU takes beside it. */
  private static final long EMULATOR_BYTES = 64L << 20;

  private static final long LOAD_LIMIT_NS = 10_000_000_000L;
  private static final long POLL_NS = 500_000;

  /**
   * What the primary says of its VM. Not trusted: the same obstacles are refused here.
   *
   * @param xml description to start
   * @param inactiveXml definition to keep after activation; null for a transient VM
   */
  public record Model(String vm, String uuid, String machine, String xml, String inactiveXml) {

    /**
     * The same VM on replicas of its disks.
     *
     * @param images raw image or block device for each replicated disk, such as {@code vda}
     */
    public Model withImages(Map<String, Path> images) throws GuestException {
      try {
        Set<String> writable =
            new DomainDescription(xml)
                .writableDisks().stream().map(DiskDescription::target).collect(Collectors.toSet());
        if (!writable.equals(images.keySet())) {
          throw new IllegalArgumentException(
              "its writable disks are %s, replicated are %s".formatted(writable, images.keySet()));
        }
        return new Model(
            vm,
            uuid,
            machine,
            DomainDescription.withImages(xml, images),
            inactiveXml == null ? null : DomainDescription.withImages(inactiveXml, images));
      } catch (IllegalArgumentException e) {
        throw unusable(vm, e);
      }
    }

    /**
     * A clone of the VM, to run beside its standby and to be seen by nobody else.
     *
     * @param images raw image for each writable disk
     * @param variables where the clone's UEFI variables are to be kept, if the VM has any
     * @throws GuestException when a part of it would reach further
     */
    public Model cloned(String name, String cloneUuid, Map<String, Path> images, Path variables)
        throws GuestException {
      Optional<DomainDescription.Obstacle> obstacle = CloneDescription.obstacle(xml);
      if (obstacle.isPresent()) {
        throw new GuestException(
            GuestException.Kind.UNPROTECTABLE,
            "VM " + vm + " cannot be cloned: " + obstacle.get().reason(),
            obstacle.get().advice());
      }
      if (images.isEmpty() && !new DomainDescription(xml).writableDisks().isEmpty()) {
        throw new GuestException(
            GuestException.Kind.UNPROTECTABLE,
            "VM "
                + vm
                + " cannot be cloned: its disks are not replicated, so a clone would write them",
            "protect it without --disk none");
      }
      String clone = CloneDescription.of(xml, name, cloneUuid, variables);
      return new Model(name, cloneUuid, machine, clone, null).withImages(images);
    }

    /** The file with the VM's UEFI variables on this host; empty when it has none. */
    public Optional<Path> variables() {
      return CloneDescription.variables(xml);
    }
  }

  private static GuestException unusable(String vm, RuntimeException why) {
    return new GuestException("the primary's description of VM " + vm + " is unusable", why);
  }

  private final Hypervisor hypervisor;
  private final Model model;
  private final QemuProcess process;
  private final List<MemoryBlock> memory;
  private final List<String> taps;

  private StandbyGuest(
      Hypervisor hypervisor,
      Model model,
      QemuProcess process,
      List<MemoryBlock> memory,
      List<String> taps) {
    this.hypervisor = hypervisor;
    this.model = model;
    this.process = process;
    this.memory = memory;
    this.taps = taps;
  }

  /**
   * Starts a standby.
   *
   * @param ram the primary's RAM blocks in page number order
   * @param owedBytes memory that is available and promised to other standbys
   */
  public static StandbyGuest start(
      Hypervisor hypervisor, Model model, List<RunningGuest.Ram> ram, long owedBytes)
      throws GuestException {
    DomainDescription description = describe(model);
    requireRoom(hypervisor, description, model.machine(), owedBytes);
    return start(hypervisor, model, ram, CreateFlags.PAUSED);
  }

  /**
   * Starts a clone that waits as a standby does. libvirt ends it when this process ends.
   *
   * @param model see {@link Model#cloned}
   * @param ram as for the standby
   */
  public static StandbyGuest startClone(
      Hypervisor hypervisor, Model model, List<RunningGuest.Ram> ram) throws GuestException {
    return start(hypervisor, model, ram, CreateFlags.PAUSED | CreateFlags.AUTODESTROY);
  }

  private static StandbyGuest start(
      Hypervisor hypervisor, Model model, List<RunningGuest.Ram> ram, int flags)
      throws GuestException {
    String vm = model.vm();
    Domain domain;
    try {
      domain =
          hypervisor.connect().domainCreateXML(DomainDescription.asStandby(model.xml()), flags);
    } catch (LibvirtException e) {
      throw new GuestException("cannot start a standby of VM " + vm, e);
    }
    try {
      QemuProcess process = QemuProcess.of(vm);
      List<RamLocator.Block> located =
          new RamLocator(new Monitor(domain, vm), process, vm).locate();
      return new StandbyGuest(
          hypervisor,
          model,
          process,
          inOrder(vm, ram, located),
          new DomainDescription(domain.getXMLDesc(0)).taps());
    } catch (GuestException | RuntimeException e) {
      hypervisor.destroy(model.uuid());
      throw e;
    } catch (LibvirtException e) {
      hypervisor.destroy(model.uuid());
      throw new GuestException("cannot look at the standby of VM " + vm, e);
    }
  }

  private static DomainDescription describe(Model model) throws GuestException {
    try {
      DomainDescription description = new DomainDescription(model.xml());
      if (description.name().equals(model.vm()) && description.uuid().equals(model.uuid())) {
        return description;
      }
      throw new IllegalArgumentException("it describes another VM");
    } catch (RuntimeException e) {
      throw unusable(model.vm(), e);
    }
  }

  private static void requireRoom(
      Hypervisor hypervisor, DomainDescription description, String machine, long owedBytes)
      throws GuestException {
    String vm = description.name();
    if (hypervisor.runs(description.uuid()) || runsNamed(hypervisor, vm)) {
      throw new GuestException(
          GuestException.Kind.EXISTS,
          "a VM named " + vm + " runs on the backup already",
          "end it there, or choose another backup");
    }
    var obstacle = description.obstacle();
    if (obstacle.isPresent()) {
      throw new GuestException(
          GuestException.Kind.UNPROTECTABLE,
          "VM " + vm + " cannot have a standby: " + obstacle.get().reason(),
          obstacle.get().advice());
    }
    requireMedia(description);
    requireMemory("a standby of VM " + vm, description, owedBytes);
    for (Nic nic : description.nics()) {
      if (!nic.bridge().isEmpty()
          && !Files.exists(Path.of("/sys/class/net", nic.bridge(), "bridge"))) {
        throw new GuestException(
            GuestException.Kind.NO_BRIDGE,
            "the backup has no bridge '%s', which VM %s is plugged into"
                .formatted(nic.bridge(), vm),
            "make the bridge there with the same name and network");
      }
    }
    if (!hypervisor.capabilities().contains(">" + machine + "<")) {
      throw new GuestException(
          GuestException.Kind.MACHINE_TYPE,
          "QEMU %s of the backup has not the machine type '%s' of VM %s"
              .formatted(hypervisor.emulatorVersion(), machine, vm),
          "use a QEMU there that is as new as the primary's, or start the VM with an older machine type");
    }
  }

  private static void requireMemory(String what, DomainDescription description, long owedBytes)
      throws GuestException {
    long wanted = description.memoryBytes() + EMULATOR_BYTES;
    long available = HostMemory.availableBytes();
    if (available - owedBytes < wanted) {
      throw new GuestException(
          GuestException.Kind.NO_MEMORY,
          "the backup has %d MiB of memory available, of which other standbys may yet take %d MiB; %s needs %d MiB"
              .formatted(available >> 20, owedBytes >> 20, what, wanted >> 20),
          "free memory there, or choose another backup");
    }
  }

  /**
   * Looks whether a clone can be started on this host.
   *
   * @param model see {@link Model#cloned}
   * @param owedBytes memory that is available and promised to standbys
   * @throws GuestException with figures, when not
   */
  public static void requireRoomForClone(Hypervisor hypervisor, Model model, long owedBytes)
      throws GuestException {
    if (hypervisor.runs(model.uuid()) || hypervisor.lookup(model.vm()) != null) {
      throw new GuestException(
          GuestException.Kind.EXISTS,
          "a VM named %s is on this host already".formatted(model.vm()),
          "end and undefine it");
    }
    requireMemory("the clone " + model.vm(), describe(model), owedBytes);
  }

  /** What is not replicated has to be here already: CD-ROMs and read-only disks. */
  private static void requireMedia(DomainDescription description) throws GuestException {
    for (DiskDescription disk : description.disks()) {
      if (disk.file() != null && !Files.exists(disk.file())) {
        throw new GuestException(
            GuestException.Kind.UNPROTECTABLE,
            "the backup has no %s, which VM %s has as disk %s"
                .formatted(disk.file(), description.name(), disk.target()),
            disk.writable()
                ? "protect the VM with its disks, or see that both hosts reach the same one"
                : "copy it there, or eject it from the VM");
      }
    }
  }

  private static boolean runsNamed(Hypervisor hypervisor, String vm) throws GuestException {
    try {
      Domain domain = hypervisor.lookup(vm);
      return domain != null && domain.isActive() == 1;
    } catch (LibvirtException e) {
      throw new GuestException("cannot ask libvirt for VM " + vm, e);
    }
  }

  private static List<MemoryBlock> inOrder(
      String vm, List<RunningGuest.Ram> ram, List<RamLocator.Block> located) throws GuestException {
    Map<String, MemoryBlock> byName =
        located.stream()
            .collect(Collectors.toMap(RamLocator.Block::name, RamLocator.Block::memory));
    List<MemoryBlock> ordered = new ArrayList<>();
    for (RunningGuest.Ram block : ram) {
      MemoryBlock here = byName.get(block.name());
      if (here == null || here.bytes() != block.bytes()) {
        throw new GuestException(
            GuestException.Kind.UNPROTECTABLE,
            "the standby of VM %s has no memory block '%s' of %d bytes"
                .formatted(vm, block.name(), block.bytes()),
            "use the same QEMU version and machine type on both hosts");
      }
      ordered.add(here);
    }
    return ordered;
  }

  /** What this standby may yet take of the host's memory, in bytes. */
  public long owedBytes() {
    long whole = EMULATOR_BYTES + memory.stream().mapToLong(MemoryBlock::bytes).sum();
    return Math.max(0, whole - process.residentBytes());
  }

  /** Process id of QEMU. */
  public int pid() {
    return process.pid();
  }

  /** Where the RAM blocks are, in the primary's order. */
  public List<MemoryBlock> memory() {
    return memory;
  }

  /** Host interfaces that the guest's packets will come out of. */
  public List<String> taps() {
    return taps;
  }

  /**
   * Runs the guest on from {@code deviceState} and the RAM that is in place.
   *
   * @param held it stood still as somebody wanted, and is to stay so
   * @throws GuestException when it did not come to life
   */
  public void activate(ByteBuffer deviceState, boolean held) throws GuestException {
    String vm = model.vm();
    // Looked up now: libvirtd may have been restarted since this standby was.
    Domain domain = hypervisor.lookupUuid(model.uuid());
    if (domain == null) {
      throw new GuestException(
          GuestException.Kind.UNKNOWN_VM,
          "the standby of VM " + vm + " is gone",
          "see its QEMU log");
    }
    Monitor monitor = new Monitor(domain, vm);
    Path socket = process.directory().resolve("remus.incoming");
    monitor.run(Monitor.command("migrate-incoming", "uri", "unix:" + socket));
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      for (ByteBuffer part : MigrationStream.of(deviceState, model.machine())) {
        while (part.hasRemaining()) {
          channel.write(part);
        }
      }
      channel.shutdownOutput();
      awaitLoaded(monitor);
      if (!held) {
        domain.resume();
      }
    } catch (IOException e) {
      throw new GuestException("the standby of VM " + vm + " did not take its device state", e);
    } catch (LibvirtException e) {
      throw new GuestException("the standby of VM " + vm + " did not resume", e);
    }
    String state = monitor.runState();
    if (!state.equals(held ? "paused" : "running")) {
      throw new GuestException(
          GuestException.Kind.LIBVIRT,
          "the standby of VM %s is '%s' after its activation".formatted(vm, state),
          "see QEMU's log of the VM");
    }
  }

  /** Whether it still waits: an activation that failed before it began can be tried again. */
  public boolean waits() throws GuestException {
    return hypervisor.waits(model.uuid(), model.vm());
  }

  private void awaitLoaded(Monitor monitor) throws GuestException {
    long deadlineNs = System.nanoTime() + LOAD_LIMIT_NS;
    while (monitor.runState().equals("inmigrate")) {
      if (System.nanoTime() > deadlineNs) {
        throw new GuestException(
            GuestException.Kind.LIBVIRT,
            "the standby of VM " + model.vm() + " did not finish loading its device state",
            "see QEMU's log of the VM");
      }
      LockSupport.parkNanos(POLL_NS);
    }
  }

  /**
   * Lets every switch learn the guest's new place, and defines a persistent VM here. After {@link
   * #activate}.
   */
  public void settle() throws GuestException {
    new Monitor(hypervisor.lookupUuid(model.uuid()), model.vm())
        .run(Monitor.command("announce-self", "initial", 50, "max", 550, "rounds", 5, "step", 50));
    if (model.inactiveXml() != null) {
      try {
        hypervisor.connect().domainDefineXML(model.inactiveXml());
      } catch (LibvirtException e) {
        throw new GuestException("cannot define VM " + model.vm() + " on this host", e);
      }
    }
  }
}
