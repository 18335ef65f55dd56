package io.remus.agent.conductor;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.remus.agent.arbiter.Arbiter;
import io.remus.agent.arbiter.Arbiters;
import io.remus.agent.config.AgentConfig;
import io.remus.agent.guest.GuestException;
import io.remus.agent.guest.Hypervisor;
import io.remus.agent.hosts.Hosts;
import io.remus.agent.nativeio.Features;
import io.remus.agent.nativeio.TrackerKind;
import io.remus.agent.peer.PeerDialer;
import io.remus.agent.peer.PeerListener;
import io.remus.agent.peer.PeerTls;
import io.remus.agent.peer.PeerTransport;
import io.remus.agent.status.EpochLog;
import io.remus.agent.status.EventLog;
import io.remus.agent.term.TermStore;
import io.remus.core.control.Copies;
import io.remus.core.control.Drain;
import io.remus.core.control.HostInfo;
import io.remus.core.control.ProtectRequest;
import io.remus.core.control.RecoverRequest;
import io.remus.core.control.VmStatus;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Everything of an agent but its control socket. Opened once, closed once. */
public final class Agent implements AutoCloseable {
  private static final int DISK_THREADS = 2;
  private static final long LIBVIRT_LOOK_S = 5;

  private final AgentConfig config;
  private final Features features;
  private final PeerTransport transport;
  private final PeerDialer dialer;
  private final EventLoopGroup diskIo;
  private final EventLog events;
  private final EpochLog epochLog;
  private final ScheduledExecutorService clock;
  private final ScheduledExecutorService libvirtClock;
  private final ScheduledExecutorService reprotectionThread;
  private final Hypervisor hypervisor;
  private final Arbiter arbiter;
  private final Conductor conductor;
  private final Hosts hosts;
  private final BackupFinder finder;
  private final Recovery recovery;
  private final Drills drills;
  private PeerListener listener;

  /**
   * Starts: first what an earlier agent left is sorted out, then peers are listened to.
   *
   * @throws IOException when the state directory, the keys or the port cannot be used
   * @throws GuestException when libvirt cannot be reached
   */
  public Agent(AgentConfig config) throws IOException, GuestException {
    this.config = config;
    this.features = Features.probe();
    TrackerKind tracker = tracker(config, features);
    Path state = Files.createDirectories(config.stateDirectory());
    Path stage = emptied(state.resolve("stage"));
    TermStore terms = new TermStore(state.resolve("vms"));
    this.transport = new PeerTransport(tls(config));
    this.dialer = new PeerDialer(transport);
    this.diskIo =
        new MultiThreadIoEventLoopGroup(
            DISK_THREADS, new DefaultThreadFactory("disk", true), EpollIoHandler.newFactory());
    this.events = EventLog.open(state, InstantSource.system());
    this.epochLog = EpochLog.open(config.log().epochs());
    this.clock = timer("clock");
    this.libvirtClock = timer("libvirt-clock");
    this.hypervisor = new Hypervisor(this::guestEnded);
    this.arbiter = Arbiters.open(config);
    Surroundings around =
        new Surroundings(
            config,
            features,
            tracker,
            hypervisor,
            dialer,
            transport.allocator(),
            diskIo,
            new PeerInquiry(dialer, clock),
            arbiter,
            clock,
            terms,
            events,
            epochLog,
            new QueueNumbers(config.output().firstQueue()),
            new KnownReplicas(),
            stage);
    this.conductor = new Conductor(around);
    this.reprotectionThread = timer("reprotection");
    this.hosts = Hosts.open(config, new ThisHost(around, conductor)::info);
    this.finder = new BackupFinder(around, hosts);
    Reprotection reprotection = new Reprotection(around, conductor, finder, reprotectionThread);
    conductor.onLoss(reprotection::afterLoss);
    conductor.onMove(reprotection::afterMove);
    conductor.onOutgrown(reprotection::afterChange);
    this.recovery = new Recovery(around, conductor);
    this.drills = new Drills(around, conductor);
    hypervisor.check();
    // A thread of its own: a libvirtd that hangs must not stop the heartbeats.
    libvirtClock.scheduleWithFixedDelay(
        hypervisor::keep, LIBVIRT_LOOK_S, LIBVIRT_LOOK_S, TimeUnit.SECONDS);
    drills.removeLeftovers();
    new Startup(around, conductor, reprotection).run();
    this.listener =
        PeerListener.open(
            transport,
            new InetSocketAddress(config.listen().address(), config.listen().port()),
            conductor::accept);
  }

  private static ScheduledExecutorService timer(String name) {
    return Executors.newSingleThreadScheduledExecutor(
        task -> {
          Thread thread = new Thread(task, name);
          thread.setDaemon(true);
          return thread;
        });
  }

  /** Reads the keys that peers know this host by. */
  static PeerTls tls(AgentConfig config) throws IOException {
    return PeerTls.load(
        config.host(), config.pki().ca(), config.pki().certificate(), config.pki().key());
  }

  private static TrackerKind tracker(AgentConfig config, Features features) throws IOException {
    TrackerKind kind =
        switch (config.capture().tracker()) {
          case AUTO -> features.bestTracker();
          case WRITE_PROTECT -> TrackerKind.WRITE_PROTECT;
          case SOFT_DIRTY -> TrackerKind.SOFT_DIRTY;
          case SHADOW -> TrackerKind.SHADOW;
        };
    if (!features.supports(kind)) {
      throw new IOException(
          "this kernel has no '%s' tracker; set capture.tracker to \"auto\""
              .formatted(kind.configName()));
    }
    return kind;
  }

  /** Spilled epochs of an earlier agent are worth nothing. */
  private static Path emptied(Path directory) throws IOException {
    Files.createDirectories(directory);
    try (var old = Files.newDirectoryStream(directory, "stage*.tmp")) {
      for (Path file : old) {
        Files.delete(file);
      }
    }
    return directory;
  }

  private void guestEnded(String vm, boolean crashed, String detail) {
    if (conductor != null) {
      conductor.guestEnded(vm, crashed, detail);
    }
  }

  public Conductor conductor() {
    return conductor;
  }

  /** Begins to protect a VM; see {@link Conductor#protect}. */
  public CompletionStage<VmStatus> protect(String vm, ProtectRequest request) {
    return conductor.protect(vm, finder.resolve(vm, request));
  }

  /** This host and its peers. */
  public List<HostInfo> hosts() {
    return hosts.list();
  }

  /** Empties this host; see {@link Drainage}. */
  public Drain drain() {
    return new Drainage(conductor).drain();
  }

  /** Lets this host take standbys again. */
  public void endDrain() {
    conductor.drain(false);
  }

  public Drills drills() {
    return drills;
  }

  public Copies copies(String vm) {
    return recovery.copies(vm);
  }

  /** Starts a VM from its disks; see {@link Recovery}. */
  public CompletionStage<Copies> recover(String vm, RecoverRequest request) {
    return recovery.recover(vm, request);
  }

  public EventLog events() {
    return events;
  }

  /** Looks at this host's prerequisites. */
  public Doctor doctor() {
    return new Doctor(config, features, hypervisor, dialer);
  }

  /** Ends in order; see {@link Conductor#stop}. */
  @Override
  public void close() throws IOException {
    reprotectionThread.shutdownNow();
    hosts.close();
    listener.close();
    drills.end();
    conductor.stop();
    drills.awaitEnd();
    transport.close();
    diskIo.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    hypervisor.close();
    arbiter.close();
    clock.shutdown();
    libvirtClock.shutdown();
    epochLog.close();
    events.close();
  }
}
