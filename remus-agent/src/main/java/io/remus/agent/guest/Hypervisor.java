package io.remus.agent.guest;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.libvirt.Connect;
import org.libvirt.Domain;
import org.libvirt.Error.ErrorNumber;
import org.libvirt.Library;
import org.libvirt.LibvirtException;
import org.libvirt.event.DomainEventType;
import org.libvirt.event.LifecycleListener;
import org.libvirt.event.StoppedDetail;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** This host's libvirt. Connections are made anew when libvirtd was restarted. */
public final class Hypervisor implements AutoCloseable {
  /** Told of the end of any domain of this host, on libvirt's event thread. */
  public interface EndListener {
    /**
     * A domain ended.
     *
     * @param crashed true when QEMU was lost, false when somebody wanted the end
     * @param detail libvirt's word for it
     */
    void onEnd(String vm, boolean crashed, String detail);
  }

  private static final Logger LOG = LoggerFactory.getLogger(Hypervisor.class);
  private static final String URI = "qemu:///system";
  private static final int DISCONNECTED_KEEPALIVE_S = 5;

  private final AtomicBoolean closed = new AtomicBoolean();
  private final EndListener endListener;
  private final Thread events;
  // A strong reference: libvirt holds only a native one.
  private final LifecycleListener lifecycle;
  private Connect connect;

  /** Starts the event loop; connects on first use. */
  public Hypervisor(EndListener endListener) throws GuestException {
    this.endListener = endListener;
    this.lifecycle =
        (domain, event) -> {
          if (event.getType() == DomainEventType.STOPPED) {
            ended(domain, event.getDetail());
          }
          return 0;
        };
    try {
      Library.initEventLoop();
      Connect.setErrorCallback((userData, error) -> {});
    } catch (LibvirtException e) {
      throw new GuestException("cannot start libvirt's event loop", e);
    }
    events = new Thread(this::runEvents, "libvirt-events");
    events.setDaemon(true);
    events.start();
  }

  /** QEMU's own death is FAILED. CRASHED is a guest that panicked and was to end then. */
  private void ended(Domain domain, StoppedDetail detail) {
    String why =
        detail == StoppedDetail.CRASHED
            ? "it panicked, and its on_crash is destroy"
            : detail.name().toLowerCase(Locale.ROOT);
    try {
      endListener.onEnd(domain.getName(), detail == StoppedDetail.FAILED, why);
    } catch (LibvirtException e) {
      LOG.warn("libvirt told of the end of a domain without a name: {}", e.getMessage());
    }
  }

  private void runEvents() {
    while (!closed.get()) {
      try {
        Library.processEvent();
      } catch (LibvirtException e) {
        LOG.warn("libvirt event loop: {}", e.getMessage());
      }
    }
  }

  /** The shared connection, for short calls. */
  synchronized Connect connect() throws GuestException {
    try {
      if (connect == null || !connect.isAlive()) {
        connect = open();
        connect.addLifecycleListener(lifecycle);
      }
      return connect;
    } catch (LibvirtException e) {
      throw new GuestException("cannot reach libvirt at " + URI, e);
    }
  }

  /**
   * A connection of its own, for a VM whose calls block: libvirtd serves few calls of one client at
   * once.
   */
  static Connect open() throws LibvirtException {
    Connect opened = new Connect(URI);
    opened.setKeepAlive(DISCONNECTED_KEEPALIVE_S, 3);
    return opened;
  }

  /** Connects anew when libvirtd was restarted; to be called now and then. */
  public void keep() {
    try {
      connect();
    } catch (GuestException e) {
      LOG.warn("{}", e.getMessage());
    }
  }

  /** Connects now, so that a missing libvirt is found early and ends of domains are heard. */
  public void check() throws GuestException {
    connect();
  }

  /** QEMU's version, such as {@code 7.2.17}. */
  public String emulatorVersion() throws GuestException {
    try {
      long version = connect().getVersion();
      return version / 1_000_000 + "." + version / 1_000 % 1_000 + "." + version % 1_000;
    } catch (LibvirtException e) {
      throw new GuestException("cannot ask libvirt for the emulator's version", e);
    }
  }

  /** libvirt's version, such as {@code 9.0.0}. */
  public String libvirtVersion() throws GuestException {
    try {
      long version = connect().getLibVersion();
      return version / 1_000_000 + "." + version / 1_000 % 1_000 + "." + version % 1_000;
    } catch (LibvirtException e) {
      throw new GuestException("cannot ask libvirt for its version", e);
    }
  }

  /** libvirt's description of what this host can run. */
  String capabilities() throws GuestException {
    try {
      return connect().getCapabilities();
    } catch (LibvirtException e) {
      throw new GuestException("cannot ask libvirt for this host's capabilities", e);
    }
  }

  /** The domain, or null when libvirt does not know it. */
  Domain lookup(String vm) throws GuestException {
    return found(c -> c.domainLookupByName(vm), "VM " + vm);
  }

  /** The domain, or null when libvirt does not know it. */
  Domain lookupUuid(String uuid) throws GuestException {
    return found(c -> c.domainLookupByUUIDString(uuid), "VM with UUID " + uuid);
  }

  private interface Lookup {
    Domain find(Connect connect) throws LibvirtException;
  }

  private Domain found(Lookup lookup, String what) throws GuestException {
    try {
      return lookup.find(connect());
    } catch (LibvirtException e) {
      if (e.getError() != null && e.getError().getCode() == ErrorNumber.VIR_ERR_NO_DOMAIN) {
        return null;
      }
      throw new GuestException("cannot ask libvirt for " + what, e);
    }
  }

  /** Whether a domain of this UUID runs here, whatever state its guest is in. */
  public boolean runs(String uuid) throws GuestException {
    try {
      Domain domain = lookupUuid(uuid);
      return domain != null && domain.isActive() == 1;
    } catch (LibvirtException e) {
      throw new GuestException("cannot ask libvirt whether " + uuid + " runs", e);
    }
  }

  /**
   * Whether somebody stopped the guest. QEMU is asked: libvirt takes each epoch's pause for a stop.
   */
  public boolean isStopped(String uuid, String vm) throws GuestException {
    return runs(uuid) && new Monitor(lookupUuid(uuid), vm).runState().equals("paused");
  }

  /** Lets a stopped guest run on. Nothing happens when it runs, or is gone. */
  public void resume(String uuid, String vm) throws GuestException {
    if (!isStopped(uuid, vm)) {
      return;
    }
    Domain domain = lookupUuid(uuid);
    try {
      domain.resume();
    } catch (LibvirtException e) {
      throw new GuestException("cannot let the stopped guest of VM " + vm + " run on", e);
    }
    if (isStopped(uuid, vm)) {
      // libvirt thought that it ran.
      new Monitor(domain, vm).run(Monitor.command("cont"));
    }
  }

  /** Whether the domain is a standby that waits for its activation. */
  public boolean waits(String uuid, String vm) throws GuestException {
    return runs(uuid) && new Monitor(lookupUuid(uuid), vm).runState().equals("inmigrate");
  }

  /** Ends a domain at once, as {@code virsh destroy}. Nothing happens when it does not run. */
  public void destroy(String uuid) throws GuestException {
    if (!runs(uuid)) {
      return;
    }
    try {
      lookupUuid(uuid).destroy();
    } catch (LibvirtException e) {
      if (runs(uuid)) {
        throw new GuestException("cannot destroy the VM " + uuid, e);
      }
    }
  }

  /**
   * Lets a VM be migrated and saved again that {@link RunningGuest#forbidMigration} was called for,
   * if only by an earlier agent. Nothing happens when it does not run.
   */
  public void allowMigration(String uuid, String vm) throws GuestException {
    if (runs(uuid)) {
      MigrationGuard.lower(new Monitor(lookupUuid(uuid), vm));
    }
  }

  /** UUID of a VM that is defined here or runs here. */
  public Optional<String> uuidOf(String vm) throws GuestException {
    Domain domain = lookup(vm);
    try {
      return domain == null ? Optional.empty() : Optional.of(domain.getUUIDString());
    } catch (LibvirtException e) {
      throw new GuestException("cannot ask libvirt for the UUID of VM " + vm, e);
    }
  }

  /**
   * Defines a VM on raw images of its disks.
   *
   * @param images by disk, such as {@code vda}
   */
  public void define(String xml, Map<String, Path> images) throws GuestException {
    try {
      connect().domainDefineXML(DomainDescription.withImages(xml, images));
    } catch (LibvirtException e) {
      throw new GuestException("cannot define the VM", e);
    }
  }

  /** Starts a VM that is defined here, from its disks. */
  public void start(String uuid) throws GuestException {
    try {
      lookupUuid(uuid).create();
    } catch (LibvirtException e) {
      throw new GuestException("cannot start the VM " + uuid, e);
    }
  }

  /** Whether libvirt starts the VM by itself at boot; false for a VM that is not defined. */
  public boolean autostart(String uuid) throws GuestException {
    try {
      Domain domain = lookupUuid(uuid);
      return domain != null && domain.isPersistent() == 1 && domain.getAutostart();
    } catch (LibvirtException e) {
      throw new GuestException("cannot ask libvirt for the autostart of " + uuid, e);
    }
  }

  /** Sets libvirt's autostart of a defined VM. */
  public void autostart(String uuid, boolean on) throws GuestException {
    try {
      Domain domain = lookupUuid(uuid);
      if (domain != null && domain.isPersistent() == 1) {
        domain.setAutostart(on);
      }
    } catch (LibvirtException e) {
      throw new GuestException("cannot set the autostart of " + uuid, e);
    }
  }

  @Override
  public void close() {
    closed.set(true);
  }
}
