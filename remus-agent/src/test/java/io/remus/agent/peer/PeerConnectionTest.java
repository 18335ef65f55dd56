package io.remus.agent.peer;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.util.concurrent.ScheduledFuture;
import io.remus.agent.peer.PeerException.Reason;
import io.remus.core.wire.ChunkKind;
import io.remus.core.wire.Frame;
import io.remus.core.wire.FrameEncoder;
import io.remus.core.wire.Limits;
import io.remus.core.wire.ProtocolException;
import io.remus.core.wire.Purpose;
import io.remus.core.wire.RefusalCode;
import io.remus.core.wire.Versions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two agents over TLS on the loopback interface. */
class PeerConnectionTest {

  private static final Duration LONG = Duration.ofSeconds(30);
  private static final InetSocketAddress LOOPBACK =
      new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  @TempDir private static Path folder;
  private static TestPki pki;

  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private final Recorder caller = new Recorder();
  private final Recorder callee = new Recorder();
  private PeerTransport hv1;

  @BeforeAll
  static void issue() throws Exception {
    pki = new TestPki(folder, "lab").issue("hv1").issue("hv2").issue("hv3");
  }

  @BeforeEach
  void start() throws Exception {
    hv1 = transport(pki, "hv1", Versions.SUPPORTED, LONG);
  }

  @AfterEach
  void stop() throws Exception {
    while (!opened.isEmpty()) {
      opened.pop().close();
    }
  }

  @Test
  void shouldCarryFramesBothWays() throws Exception {
    PeerConnection connection = connected();
    Recorder.Heard other = callee.accepted.get(0);
    assertThat(connection.peerName()).isEqualTo("hv2");
    assertThat(other.connection.peerName()).isEqualTo("hv1");
    assertThat(other.connection.purpose()).isEqualTo(Purpose.REPLICATE);
    assertThat(other.connection.version()).isEqualTo(1);

    byte[] data = new byte[Limits.DEFAULT.chunkBytes()];
    Arrays.fill(data, (byte) 7);
    for (int i = 0; i < 20; i++) {
      connection.send(chunk(i, data));
    }
    connection.send(new Frame.Stop(3));
    connection.flush();
    other.connection.send(new Frame.Ack(3, 1));
    other.connection.flush();

    await().atMost(LONG).until(() -> other.frames.contains(new Frame.Stop(3)));
    assertThat(other.chunks).hasSize(20).allMatch(received -> Arrays.equals(received, data));
    await().atMost(LONG).until(() -> caller.accepted.get(0).frames.contains(new Frame.Ack(3, 1)));
  }

  @Test
  void shouldTellBothSidesOnceWhenOneCloses() throws Exception {
    PeerConnection connection = connected();

    connection.close(new Frame.Refused(RefusalCode.STOPPING, "hv1 stops"));

    assertThat(callee.accepted.get(0).cause().reason()).isEqualTo(Reason.CLOSED);
    assertThat(callee.accepted.get(0).frames)
        .containsExactly(new Frame.Refused(RefusalCode.STOPPING, "hv1 stops"));
    assertThat(caller.accepted.get(0).cause().reason()).isEqualTo(Reason.CLOSED);
    assertThat(connection.isOpen()).isFalse();
    assertThat(connection.awaitRoom(System.nanoTime() + LONG.toNanos())).isFalse();
  }

  @Test
  void shouldDropFramesForAClosedConnectionAndTheirMemory() throws Exception {
    PeerConnection connection = connected();
    connection.close();
    assertThat(caller.accepted.get(0).cause()).isNotNull();

    Frame.Chunk chunk = chunk(0, new byte[100]);
    connection.send(chunk);
    connection.flush();

    await().atMost(LONG).until(() -> chunk.refCnt() == 0);
  }

  @Test
  void shouldCloseWhenTheListenerObjects() throws Exception {
    PeerConnection connection = connected();
    callee.accepted.get(0).objection = new ProtocolException("chunk 2 came in place of chunk 1");

    connection.send(new Frame.Stop(1));
    connection.flush();

    assertThat(callee.accepted.get(0).cause())
        .hasMessage("hv1 broke the protocol: chunk 2 came in place of chunk 1")
        .extracting(PeerException::reason)
        .isEqualTo(Reason.PROTOCOL);
    assertThat(caller.accepted.get(0).cause()).isNotNull();
  }

  @Test
  void shouldProveTheNamesAnewOnEveryConnection() throws Exception {
    PeerListener listener = listen(transport(pki, "hv2", Versions.SUPPORTED, LONG));

    for (int i = 0; i < 3; i++) {
      dial(hv1, "hv2", listener).close();
    }

    await().atMost(LONG).until(() -> callee.accepted.size() == 3);
    assertThat(callee.accepted).allMatch(heard -> heard.connection.peerName().equals("hv1"));
  }

  @Test
  void shouldRefuseAPeerOfAnotherCa() throws Exception {
    TestPki other = new TestPki(folder, "other").issue("hv2");
    PeerListener listener = listen(transport(other, "hv2", Versions.SUPPORTED, LONG));

    PeerException failure = dialFails(hv1, "hv2", listener);

    assertThat(failure.reason()).isEqualTo(Reason.NOT_TRUSTED);
    assertThat(failure)
        .hasMessageContaining("the certificate of hv2")
        .hasMessageContaining("is not trusted");
    assertThat(callee.accepted).isEmpty();
  }

  @Test
  void shouldSayThatThePeerDoesNotAcceptOurCertificate() throws Exception {
    PeerListener listener = listen(transport(pki, "hv2", Versions.SUPPORTED, LONG));
    TestPki other = new TestPki(folder, "other").issue("hv1");
    Path both = folder.resolve("both-ca.crt");
    Files.writeString(both, Files.readString(pki.ca()) + Files.readString(other.ca()));
    PeerTls tls = PeerTls.load("hv1", both, other.certificate("hv1"), other.key("hv1"));
    PeerTransport stranger = new PeerTransport(tls);
    opened.push(stranger);

    PeerException failure = dialFails(stranger, "hv2", listener);

    assertThat(failure.reason()).isEqualTo(Reason.NOT_TRUSTED);
    assertThat(failure).hasMessageContaining("does not accept our certificate");
    assertThat(callee.accepted).isEmpty();
  }

  @Test
  void shouldRefuseARightCertificateOfTheWrongHost() throws Exception {
    PeerListener listener = listen(transport(pki, "hv3", Versions.SUPPORTED, LONG));

    PeerException failure = dialFails(hv1, "hv2", listener);

    assertThat(failure.reason()).isEqualTo(Reason.WRONG_NAME);
    assertThat(failure).hasMessageContaining("has a certificate for hv3");
  }

  @Test
  void shouldNameBothVersionRangesWhenThereIsNoneInCommon() throws Exception {
    PeerListener listener = listen(transport(pki, "hv2", new Versions(2, 3), LONG));

    PeerException failure = dialFails(hv1, "hv2", listener);

    assertThat(failure.reason()).isEqualTo(Reason.VERSION);
    assertThat(failure).hasMessageContaining("hv2 speaks protocol versions 2 to 3, hv1 speaks 1");
  }

  @Test
  void shouldSayThatNothingListens() throws Exception {
    PeerListener listener = listen(transport(pki, "hv2", Versions.SUPPORTED, LONG));
    listener.close();

    assertThat(dialFails(hv1, "hv2", listener).reason()).isEqualTo(Reason.CONNECTION_REFUSED);
  }

  @Test
  void shouldSayThatThePortIsTaken() throws Exception {
    PeerTransport hv2 = transport(pki, "hv2", Versions.SUPPORTED, LONG);
    PeerListener listener = listen(hv2);

    PeerException failure =
        catchThrowableOfType(
            PeerException.class, () -> PeerListener.open(hv2, listener.address(), callee));

    assertThat(failure.reason()).isEqualTo(Reason.LISTEN);
    assertThat(failure).hasMessageContaining("cannot listen on").hasMessageContaining("in use");
  }

  @Test
  void shouldGiveUpAPeerThatNeverGreets() throws Exception {
    PeerTransport hasty = transport(pki, "hv1", Versions.SUPPORTED, Duration.ofMillis(200));
    try (ServerSocket mute = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      PeerException failure =
          dialFails(hasty, new PeerAddress("hv2", "127.0.0.1", mute.getLocalPort()));

      assertThat(failure.reason()).isEqualTo(Reason.TIMEOUT);
    }
  }

  @Test
  void shouldSayThatThePeerIsNoAgent() throws Exception {
    try (ServerSocket web = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      Thread server =
          new Thread(
              () -> {
                try (Socket client = web.accept()) {
                  client
                      .getOutputStream()
                      .write(
                          "HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                  client.getInputStream().readAllBytes();
                } catch (IOException e) {
                  // The agent hung up: what this is about.
                }
              });
      server.start();

      PeerException failure =
          dialFails(hv1, new PeerAddress("hv2", "127.0.0.1", web.getLocalPort()));

      assertThat(failure.reason()).isEqualTo(Reason.PROTOCOL);
      assertThat(failure).hasMessageContaining("TLS");
      server.join();
    }
  }

  @Test
  void shouldHangUpOnACallerThatNeverGreets() throws Exception {
    PeerListener listener =
        listen(transport(pki, "hv2", Versions.SUPPORTED, Duration.ofMillis(200)));
    try (Socket silent =
        new Socket(listener.address().getAddress(), listener.address().getPort())) {
      silent.setSoTimeout((int) LONG.toMillis());
      assertThat(silent.getInputStream().read()).isEqualTo(-1);
    }
  }

  @Test
  void shouldHangUpOnACallerThatSpeaksPlainText() throws Exception {
    PeerListener listener = listen(transport(pki, "hv2", Versions.SUPPORTED, LONG));

    assertThat(hangsUpAfter(listener, "GET / HTTP/1.1\r\nHost: hv2\r\n\r\n")).isTrue();
    assertThat(callee.accepted).isEmpty();
  }

  @Test
  void shouldRefuseACallerWhoseNameIsNotInItsCertificate() throws Exception {
    PeerListener listener = listen(transport(pki, "hv2", Versions.SUPPORTED, LONG));
    Channel liar = raw(listener, new FrameEncoder(Limits.DEFAULT));
    liar.writeAndFlush(new Frame.Hello(Versions.SUPPORTED, Purpose.REPLICATE, "hv3")).sync();

    assertThat(liar.closeFuture().await(30, SECONDS)).isTrue();
    assertThat(callee.accepted).isEmpty();
  }

  @Test
  void shouldCloseAConnectionThatAnnouncesAnOversizedFrame() throws Exception {
    PeerListener listener = listen(transport(pki, "hv2", Versions.SUPPORTED, LONG));
    Channel caller = raw(listener, new FrameEncoder(new Limits(1 << 20, 1 << 20)));
    caller.writeAndFlush(new Frame.Hello(Versions.SUPPORTED, Purpose.REPLICATE, "hv1")).sync();
    await().atMost(LONG).until(() -> callee.accepted.size() == 1);

    boolean written = caller.writeAndFlush(chunk(0, new byte[300_000])).await(30, SECONDS);

    assertThat(written).isTrue();
    assertThat(callee.accepted.get(0).cause())
        .hasMessageContaining(
            "hv1 broke the protocol: CHUNK of 300013 bytes, allowed are 14 to 262157");
  }

  @Test
  void shouldSlowTheSenderWhenThePeerDoesNotRead() throws Exception {
    PeerListener listener = listen(transport(pki, "hv2", Versions.SUPPORTED, LONG));
    AtomicLong read = new AtomicLong();
    Channel slow =
        raw(
            listener,
            new FrameEncoder(Limits.DEFAULT),
            new ChannelInboundHandlerAdapter() {
              @Override
              public void channelRead(ChannelHandlerContext ctx, Object message) {
                read.addAndGet(((ByteBuf) message).readableBytes());
                ((ByteBuf) message).release();
              }
            });
    slow.writeAndFlush(new Frame.Hello(Versions.SUPPORTED, Purpose.REPLICATE, "hv1")).sync();
    await().atMost(LONG).until(() -> callee.accepted.size() == 1 && read.get() > 0);
    slow.config().setAutoRead(false);
    PeerConnection sender = callee.accepted.get(0).connection;
    byte[] data = new byte[Limits.DEFAULT.chunkBytes()];

    int chunks = 0;
    while (sender.awaitRoom(System.nanoTime() + Duration.ofSeconds(1).toNanos())) {
      sender.send(chunk(chunks++, data));
      assertThat((long) chunks * data.length)
          .as("bytes taken from the sender")
          .isLessThan(64L << 20);
    }
    assertThat(sender.awaitRoom(System.nanoTime())).isFalse();

    slow.config().setAutoRead(true);
    assertThat(sender.awaitRoom(System.nanoTime() + LONG.toNanos())).isTrue();
    sender.flush();
    long sent = (long) chunks * data.length;
    await().atMost(LONG).until(() -> read.get() > sent);
  }

  @Test
  void shouldWakeAWaitingSenderWhenTheConnectionBreaks() throws Exception {
    PeerListener listener = listen(transport(pki, "hv2", Versions.SUPPORTED, LONG));
    Channel slow = raw(listener, new FrameEncoder(Limits.DEFAULT));
    slow.writeAndFlush(new Frame.Hello(Versions.SUPPORTED, Purpose.REPLICATE, "hv1")).sync();
    await().atMost(LONG).until(() -> callee.accepted.size() == 1);
    slow.config().setAutoRead(false);
    PeerConnection sender = callee.accepted.get(0).connection;
    int chunks = 0;
    while (sender.awaitRoom(System.nanoTime() + Duration.ofSeconds(1).toNanos())) {
      sender.send(chunk(chunks++, new byte[Limits.DEFAULT.chunkBytes()]));
    }

    ScheduledFuture<?> breaking = slow.eventLoop().schedule(() -> abort(slow), 100, MILLISECONDS);

    assertThat(sender.awaitRoom(System.nanoTime() + LONG.toNanos())).isFalse();
    assertThat(sender.isOpen()).isFalse();
    assertThat(breaking.isDone()).isTrue();
  }

  @Test
  void shouldServeAGoodPeerAmongAThousandStrangers() throws Exception {
    PeerListener listener = listen(transport(pki, "hv2", Versions.SUPPORTED, LONG));
    List<Socket> strangers = new ArrayList<>();
    try {
      for (int i = 0; i < 1_000; i++) {
        Socket stranger = new Socket(listener.address().getAddress(), listener.address().getPort());
        strangers.add(stranger);
        if (i % 2 == 0) {
          stranger
              .getOutputStream()
              .write(("garbage " + i + "\r\n").getBytes(StandardCharsets.US_ASCII));
        }
      }

      PeerConnection connection = dial(hv1, "hv2", listener);

      assertThat(connection.isOpen()).isTrue();
    } finally {
      for (Socket stranger : strangers) {
        stranger.close();
      }
    }
  }

  private PeerTransport transport(TestPki issuer, String host, Versions versions, Duration greeting)
      throws Exception {
    PeerTransport transport = new PeerTransport(issuer.tls(host), versions, greeting);
    opened.push(transport);
    return transport;
  }

  private PeerListener listen(PeerTransport transport) throws PeerException {
    return PeerListener.open(transport, LOOPBACK, callee);
  }

  private PeerConnection connected() throws Exception {
    PeerConnection connection =
        dial(hv1, "hv2", listen(transport(pki, "hv2", Versions.SUPPORTED, LONG)));
    await().atMost(LONG).until(() -> callee.accepted.size() == 1);
    return connection;
  }

  private PeerConnection dial(PeerTransport transport, String name, PeerListener listener)
      throws Exception {
    PeerAddress address = new PeerAddress(name, "127.0.0.1", listener.address().getPort());
    return new PeerDialer(transport).dial(address, Purpose.REPLICATE, caller).get(30, SECONDS);
  }

  private PeerException dialFails(PeerTransport transport, String name, PeerListener listener) {
    return dialFails(transport, new PeerAddress(name, "127.0.0.1", listener.address().getPort()));
  }

  private PeerException dialFails(PeerTransport transport, PeerAddress address) {
    ExecutionException failure =
        catchThrowableOfType(
            ExecutionException.class,
            () ->
                new PeerDialer(transport)
                    .dial(address, Purpose.REPLICATE, caller)
                    .get(30, SECONDS));
    assertThat(caller.accepted).isEmpty();
    return (PeerException) failure.getCause();
  }

  /** A caller that has the keys of hv1, and does as it likes. */
  private Channel raw(PeerListener listener, ChannelHandler... handlers) throws Exception {
    PeerTls tls = pki.tls("hv1");
    return new Bootstrap()
        .group(hv1.group())
        .channel(EpollSocketChannel.class)
        .handler(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel channel) {
                channel.pipeline().addLast(tls.clientHandler(channel.alloc())).addLast(handlers);
              }
            })
        .connect(listener.address())
        .sync()
        .channel();
  }

  /** Hangs up without a word of TLS. */
  private static void abort(Channel channel) {
    channel.unsafe().close(channel.voidPromise());
  }

  private static boolean hangsUpAfter(PeerListener listener, String bytes) throws IOException {
    try (Socket stranger =
        new Socket(listener.address().getAddress(), listener.address().getPort())) {
      stranger.setSoTimeout((int) LONG.toMillis());
      stranger.getOutputStream().write(bytes.getBytes(StandardCharsets.US_ASCII));
      stranger.getInputStream().readAllBytes();
      return true;
    } catch (SocketException reset) {
      return true;
    }
  }

  private static Frame.Chunk chunk(int index, byte[] data) {
    return Frame.Chunk.of(
        0, index, ChunkKind.PAGES, Unpooled.directBuffer(data.length).writeBytes(data));
  }
}
