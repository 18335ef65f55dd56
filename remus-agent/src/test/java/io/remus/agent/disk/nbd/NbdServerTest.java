package io.remus.agent.disk.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.remus.agent.disk.nbd.HeldExport.Call;
import io.remus.agent.disk.nbd.RawClient.SimpleReply;
import io.remus.agent.socket.Access;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class NbdServerTest {
  private static final long DISK = 16 << 20;
  private static final int PAYLOAD = 256 << 10;

  /** Room for four writes of {@link #PAYLOAD}, or for eight requests. */
  private static final NbdLimits LIMITS =
      new NbdLimits(1 << 20, 8, 4 * PAYLOAD, 1024, 16, Duration.ofSeconds(30));

  private final CountedMemory memory = new CountedMemory();
  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(2, EpollIoHandler.newFactory());
  private final HeldExport export = new HeldExport(DISK);
  private final Semaphore gone = new Semaphore(0);
  @TempDir Path directory;
  private Path socket;
  private NbdServer server;

  @BeforeEach
  void start() throws IOException {
    socket = directory.resolve("run/vda.sock");
    server = serve(export);
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
    for (Call call : export.waiting()) {
      if (call.data() != null) {
        call.data().release();
      }
    }
    group.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly();
    memory.assertAllIsBack();
  }

  @Test
  void shouldReplyWhenTheExportDoesAndInItsOrder() throws Exception {
    try (RawClient client = RawClient.begun(socket, false)) {
      client.write(1, 512, bytes("first"));
      client.request(NbdRequest.WRITE_ZEROES, 0, 2, 0, 4096);
      client.request(NbdRequest.WRITE_ZEROES, NbdRequest.FLAG_NO_HOLE, 3, 0, 4096);
      client.request(NbdRequest.TRIM, 0, 4, 8192, 4096);
      client.request(NbdRequest.FLUSH, 0, 5, 0, 0);
      List<Call> calls = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        calls.add(export.next());
      }

      assertThat(calls)
          .extracting(Call::what)
          .containsExactly(
              "write 512 5", "zero 0 4096 unmap", "zero 0 4096", "trim 8192 4096", "flush");
      ByteBuf data = calls.get(0).data();
      assertThat(data.toString(StandardCharsets.UTF_8)).isEqualTo("first");
      assertThat(data.refCnt()).isOne();
      data.release();
      for (int i = 4; i >= 0; i--) {
        calls.get(i).reply().ok();
        assertThat(client.reply()).isEqualTo(new SimpleReply(0, i + 1));
      }
    }
  }

  @Test
  void shouldPassOnWhatTheExportFailsWith() throws Exception {
    try (RawClient client = RawClient.begun(socket, false)) {
      for (NbdError error : NbdError.values()) {
        client.request(NbdRequest.FLUSH, 0, 1, 0, 0);
        export.next().reply().fail(error);
        assertThat(client.reply()).isEqualTo(new SimpleReply(error.number(), 1));
      }
    }
    try (RawClient client = begunAgain(true)) {
      client.request(NbdRequest.FLUSH, 0, 1, 0, 0);
      export.next().reply().fail(NbdError.EIO);
      RawClient.Chunk chunk = client.chunk();
      assertThat(chunk.type()).isEqualTo(NbdReplyEncoder.ERROR);
      assertThat(chunk.payload().getInt()).isEqualTo(5);
    }
  }

  @Test
  void shouldFlushBeforeItRepliesToAWriteThatGoesThrough() throws Exception {
    try (RawClient client = RawClient.begun(socket, false)) {
      client.request(NbdRequest.WRITE, NbdRequest.FLAG_FUA, 1, 0, 4);
      client.send(ByteBuffer.wrap(bytes("data")));
      Call write = export.next();
      write.data().release();
      assertThat(export.waiting()).isEmpty();
      write.reply().ok();
      Call flush = export.next();
      assertThat(flush.what()).isEqualTo("flush");
      flush.reply().fail(NbdError.EIO);

      assertThat(client.reply()).isEqualTo(new SimpleReply(5, 1));
    }
  }

  @Test
  void shouldNotFlushAWriteThatFailed() throws Exception {
    try (RawClient client = RawClient.begun(socket, false)) {
      client.request(NbdRequest.WRITE_ZEROES, NbdRequest.FLAG_FUA, 1, 0, 4);
      export.next().reply().fail(NbdError.ENOSPC);

      assertThat(client.reply()).isEqualTo(new SimpleReply(28, 1));
      assertThat(export.waiting()).isEmpty();
    }
  }

  @Test
  void shouldRefuseToReadAndGoOn() throws Exception {
    try (RawClient client = RawClient.begun(socket, false)) {
      client.request(NbdRequest.READ, 0, 1, 0, 4096);
      assertThat(client.reply()).isEqualTo(new SimpleReply(1, 1));
      client.request(NbdRequest.BLOCK_STATUS, 0, 2, 0, 4096);
      assertThat(client.reply()).isEqualTo(new SimpleReply(1, 2));
    }
    try (RawClient client = begunAgain(true)) {
      client.request(NbdRequest.READ, 0, 3, 0, 4096);
      assertThat(client.chunk().type()).isEqualTo(NbdReplyEncoder.ERROR);
      client.request(NbdRequest.FLUSH, 0, 4, 0, 0);
      export.next().reply().ok();
      assertThat(client.reply()).isEqualTo(new SimpleReply(0, 4));
    }
  }

  @Test
  void shouldRefuseToWritePastTheEndAndGoOn() throws Exception {
    try (RawClient client = RawClient.begun(socket, false)) {
      client.write(1, DISK - 1, new byte[4096]);
      client.request(NbdRequest.FLUSH, 0, 2, 0, 0);

      assertThat(client.reply()).isEqualTo(new SimpleReply(28, 1));
      export.next().reply().ok();
      assertThat(client.reply()).isEqualTo(new SimpleReply(0, 2));
    }
  }

  @Test
  void shouldCloseOnGarbageAmongRequests() throws Exception {
    try (RawClient client = RawClient.begun(socket, false)) {
      client.send(ByteBuffer.allocate(100));
      assertThat(client.readToEnd()).isZero();
    }
    assertGone();
  }

  @Test
  void shouldHoldNoMoreThanItsLimitsWhileRepliesAreWithheld() throws Exception {
    int writes = 32;
    try (RawClient client = RawClient.begun(socket, false)) {
      CompletableFuture<Void> writer =
          CompletableFuture.runAsync(
              () -> {
                for (int i = 0; i < writes; i++) {
                  try {
                    client.write(i, 0, new byte[PAYLOAD]);
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                }
              });
      await().until(() -> export.waiting().size() == 4);
      // The loop still runs, and has nothing more to do for this client.
      assertThat(listExports()).isEqualTo("\0\0\0\3vda");
      assertThat(export.waiting()).hasSize(4);
      assertThat(writer).isNotDone();

      for (int i = 0; i < writes; i++) {
        Call call = export.next();
        assertThat(export.waiting()).hasSizeLessThan(4);
        call.data().release();
        call.reply().ok();
        assertThat(client.reply()).isEqualTo(new SimpleReply(0, i));
      }
      writer.get(60, TimeUnit.SECONDS);
    }
  }

  @Test
  void shouldLetOnlySoManySmallRequestsIn() throws Exception {
    try (RawClient client = RawClient.begun(socket, false)) {
      for (int i = 0; i < 100; i++) {
        client.request(NbdRequest.TRIM, 0, i, 0, 512);
      }
      await().until(() -> export.waiting().size() == 8);
      assertThat(listExports()).isEqualTo("\0\0\0\3vda");
      assertThat(export.waiting()).hasSize(8);

      for (int i = 0; i < 100; i++) {
        export.next().reply().ok();
        assertThat(client.reply().cookie()).isEqualTo(i);
      }
    }
  }

  @Test
  void shouldNoticeThatTheClientHasGoneWhileRepliesAreWithheld() throws Exception {
    RawClient client = RawClient.begun(socket, false);
    for (int i = 0; i < 20; i++) {
      client.request(NbdRequest.TRIM, 0, i, 0, 512);
    }
    await().until(() -> export.waiting().size() == 8);

    client.close();

    assertGone();
    for (Call call : export.waiting()) {
      call.reply().ok(); // nobody is interested
    }
  }

  @Test
  void shouldTakeTheNextClientWhenTheFirstHasGone() throws Exception {
    try (RawClient first = RawClient.begun(socket, false);
        RawClient second = new RawClient(socket)) {
      second.greet();
      second.option(NbdOption.GO, RawClient.go("vda"));
      RawClient.OptionReply refusal = second.optionReply();
      assertThat(refusal.type()).isEqualTo(NbdOptionReply.ERR_POLICY);
      assertThat(refusal.text()).contains("another client writes");
      assertThat(gone.availablePermits()).isZero();

      first.request(NbdRequest.DISC, 0, 0, 0, 0);
      assertThat(first.readToEnd()).isZero();
      assertGone();

      second.option(NbdOption.GO, RawClient.go("vda"));
      assertThat(second.optionReply().type()).isEqualTo(3);
      assertThat(second.optionReply().type()).isEqualTo(1);
      second.request(NbdRequest.FLUSH, 0, 1, 0, 0);
      export.next().reply().ok();
      assertThat(second.reply()).isEqualTo(new SimpleReply(0, 1));
    }
  }

  @Test
  void shouldNotTellOfClientsThatNeverBegan() throws Exception {
    try (RawClient client = new RawClient(socket)) {
      client.greet();
      client.option(NbdOption.ABORT, new byte[0]);
      assertThat(client.optionReply().type()).isOne();
      assertThat(client.readToEnd()).isZero();
    }
    assertThat(listExports()).isNotEmpty();
    assertThat(gone.availablePermits()).isZero();
  }

  @Test
  void shouldAnswerWhatIsUnderWayBeforeItDisconnects() throws Exception {
    try (RawClient client = RawClient.begun(socket, false)) {
      client.request(NbdRequest.FLUSH, 0, 1, 0, 0);
      client.request(NbdRequest.DISC, 0, 2, 0, 0);
      Call flush = export.next();
      assertThat(gone.availablePermits()).isZero();

      flush.reply().ok();

      assertThat(client.reply()).isEqualTo(new SimpleReply(0, 1));
      assertThat(client.readToEnd()).isZero();
    }
  }

  @Test
  void shouldRefuseWhatIsUnderWayWhenItCloses() throws Exception {
    try (RawClient client = RawClient.begun(socket, false)) {
      client.write(1, 0, bytes("data"));
      client.request(NbdRequest.FLUSH, 0, 2, 0, 0);
      Call write = export.next();
      Call flush = export.next();

      server.close();

      assertThat(client.reply()).isEqualTo(new SimpleReply(108, 1));
      assertThat(client.reply()).isEqualTo(new SimpleReply(108, 2));
      assertThat(client.readToEnd()).isZero();
      assertGone();
      assertThat(socket).doesNotExist();
      assertThat(write.data().refCnt()).isOne();
      write.data().release();
      write.reply().ok();
      flush.reply().fail(NbdError.EIO);
    }
  }

  @Test
  void shouldNotBeRepliedToTwice() throws Exception {
    try (RawClient client = RawClient.begun(socket, false)) {
      client.request(NbdRequest.FLUSH, 0, 1, 0, 0);
      Reply reply = export.next().reply();
      reply.ok();

      assertThatThrownBy(reply::ok).isInstanceOf(IllegalStateException.class);
      assertThat(client.reply()).isEqualTo(new SimpleReply(0, 1));
    }
  }

  @Test
  void shouldReadAndTellAllocationsWhenTheExportCan() throws Exception {
    server.close();
    try (FileExport disk = new FileExport(directory.resolve("disk"), DISK)) {
      server = serve(disk);
      try (RawClient client = RawClient.begun(socket, false)) {
        client.write(1, 4096, bytes("here"));
        assertThat(client.reply()).isEqualTo(new SimpleReply(0, 1));
        client.request(NbdRequest.READ, 0, 2, 4094, 8);
        assertThat(client.reply()).isEqualTo(new SimpleReply(0, 2));
        assertThat(client.read(8).array()).isEqualTo(bytes("\0\0here\0\0"));
        client.request(NbdRequest.READ, 0, 3, DISK, 1);
        assertThat(client.reply()).isEqualTo(new SimpleReply(22, 3));
      }
      try (RawClient client = begunAgain(true)) {
        client.request(NbdRequest.READ, NbdRequest.FLAG_DF, 4, 4096, 4);
        RawClient.Chunk chunk = client.chunk();
        assertThat(chunk.flags()).isOne();
        assertThat(chunk.type()).isEqualTo(NbdReplyEncoder.OFFSET_DATA);
        assertThat(chunk.payload().getLong()).isEqualTo(4096);
        assertThat(StandardCharsets.UTF_8.decode(chunk.payload()).toString()).isEqualTo("here");
        client.request(NbdRequest.BLOCK_STATUS, 0, 5, 0, 4096);
        assertThat(client.chunk().payload().getInt()).as("no context was set").isEqualTo(22);
      }
    }
  }

  @Test
  void shouldNotTakeMemoryAwayThatTheExportStillReadsInto() throws Exception {
    server.close();
    HeldExport disk = new HeldExport.WithReads(DISK);
    server = serve(disk);
    RawClient client = RawClient.begun(socket, false);
    client.request(NbdRequest.READ, 0, 1, 0, 4096);
    Call read = disk.next();

    client.close();
    assertGone();

    assertThat(read.data().refCnt()).isOne();
    read.data().writeZero(4096);
    read.reply().ok();
    await().until(() -> read.data().refCnt() == 0);
  }

  @Test
  void shouldFailAReadThatIsShortAndDisconnect() throws Exception {
    server.close();
    HeldExport disk = new HeldExport.WithReads(DISK);
    server = serve(disk);
    try (RawClient client = RawClient.begun(socket, false)) {
      client.request(NbdRequest.READ, 0, 1, 0, 4096);
      Call read = disk.next();
      read.data().writeZero(4095);

      read.reply().ok();

      assertThat(client.readToEnd()).isZero();
      await().until(() -> read.data().refCnt() == 0);
    }
  }

  @Test
  void shouldDisconnectTheClientOfAnExportThatThrows() throws Exception {
    server.close();
    server = serve(new HeldExport.WithReads(DISK));
    try (RawClient client = new RawClient(socket)) {
      client.greet();
      client.option(NbdOption.STRUCTURED_REPLY, new byte[0]);
      assertThat(client.optionReply().type()).isOne();
      byte[] allocation = bytes("\0\0\0\0\0\0\0\1\0\0\0\17base:allocation");
      client.option(NbdOption.SET_META_CONTEXT, allocation);
      assertThat(client.optionReply().type()).isEqualTo(4);
      assertThat(client.optionReply().type()).isOne();
      client.option(NbdOption.GO, RawClient.go("vda"));
      assertThat(client.optionReply().type()).isEqualTo(3);
      assertThat(client.optionReply().type()).isOne();

      client.request(NbdRequest.BLOCK_STATUS, 0, 1, 0, 4096);

      assertThat(client.readToEnd()).isZero();
    }
    assertGone();
    assertThat(listExports()).isNotEmpty();
  }

  @Test
  void shouldLetOnlyItsUserConnect() throws Exception {
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
        .isEqualTo("rw-------");
    assertThat(Files.getAttribute(socket, "unix:uid")).isEqualTo(4711);
    assertThat(Files.getAttribute(socket, "unix:gid")).isEqualTo(4712);
  }

  @Test
  void shouldReplaceAStaleSocket() throws Exception {
    server.close();
    try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(UnixDomainSocketAddress.of(socket));
    }
    assertThat(socket).exists();

    server = serve(export);

    assertThat(listExports()).isEqualTo("\0\0\0\3vda");
  }

  @Test
  void shouldNotTakeTheSocketOfAnotherServer() {
    assertThatThrownBy(() -> serve(export))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("another agent serves");
  }

  private NbdServer serve(Export disk) throws IOException {
    return NbdServer.listen(
        socket, Access.user(4711, 4712), disk, group, memory.allocator(), gone::release, LIMITS);
  }

  private void assertGone() throws InterruptedException {
    assertThat(gone.tryAcquire(60, TimeUnit.SECONDS)).as("told that the client has gone").isTrue();
  }

  /** After a client that has just closed. */
  private RawClient begunAgain(boolean structured) throws Exception {
    assertGone();
    return RawClient.begun(socket, structured);
  }

  private String listExports() throws IOException {
    try (RawClient other = new RawClient(socket)) {
      other.greet();
      other.option(NbdOption.LIST, new byte[0]);
      return other.optionReply().text();
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
