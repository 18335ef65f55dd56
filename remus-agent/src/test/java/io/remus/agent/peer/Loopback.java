package io.remus.agent.peer;

import io.remus.core.wire.Purpose;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;

/** The agents of hv1 and hv2, which talk over TLS on the loopback interface. */
public final class Loopback implements AutoCloseable {
  private static final InetSocketAddress ANY_PORT =
      new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private final PeerTransport hv1;
  private final PeerTransport hv2;

  /**
   * @param folder for keys and certificates
   */
  public Loopback(Path folder) throws Exception {
    TestPki pki = new TestPki(folder, "lab").issue("hv1").issue("hv2");
    hv1 = transport(pki, "hv1");
    hv2 = transport(pki, "hv2");
  }

  private PeerTransport transport(TestPki pki, String host) throws Exception {
    PeerTransport transport = new PeerTransport(pki.tls(host));
    opened.push(transport);
    return transport;
  }

  /** Makes hv2 listen on one more path. */
  public PeerAddress listen(Acceptor acceptor) throws PeerException {
    PeerListener listener = PeerListener.open(hv2, ANY_PORT, acceptor);
    opened.push(listener);
    return path(listener.address().getPort());
  }

  /** A path to hv2 where nothing listens any more. */
  public PeerAddress dead() throws PeerException {
    PeerListener listener = PeerListener.open(hv2, ANY_PORT, connection -> null);
    listener.close();
    return path(listener.address().getPort());
  }

  /** A path to hv2 by port. */
  public static PeerAddress path(int port) {
    return new PeerAddress("hv2", "127.0.0.1", port);
  }

  /** Dials for hv1. */
  public PeerDialer dialer() {
    return new PeerDialer(hv1);
  }

  /** Connects hv1 to hv2, both of which only listen to each other. */
  public PeerConnection connect(Acceptor hv1Side, Acceptor hv2Side) throws Exception {
    return dialer().dial(listen(hv2Side), Purpose.REPLICATE, hv1Side).get(30, TimeUnit.SECONDS);
  }

  /** Where hv1 takes its buffers from. */
  public PeerTransport transport() {
    return hv1;
  }

  @Override
  public void close() throws Exception {
    while (!opened.isEmpty()) {
      opened.pop().close();
    }
  }
}
