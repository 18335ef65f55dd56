package io.remus.agent.stream;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.UnpooledByteBufAllocator;
import io.remus.agent.commit.Committer;
import io.remus.agent.nativeio.Arena;
import io.remus.agent.nativeio.MemoryBlock;
import io.remus.agent.nativeio.OwnPages;
import io.remus.agent.nativeio.StandbyMemory;
import io.remus.agent.nativeio.Tracker;
import io.remus.agent.nativeio.TrackerKind;
import io.remus.agent.peer.FrameListener;
import io.remus.agent.peer.Loopback;
import io.remus.agent.peer.PeerConnection;
import io.remus.agent.peer.PeerException;
import io.remus.agent.peer.Recorder;
import io.remus.agent.receive.EpochReceiver;
import io.remus.agent.stage.EpochStage;
import io.remus.core.epoch.Term;
import io.remus.core.wire.Frame;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From captured pages over a real connection into a standby's memory. */
class EpochSenderTest {
  private static final int PAGES = 256;

  /** More than what packing adds to a state that it makes no less. */
  private static final int PACK_BYTES = 64;

  private static final int ARENA_BYTES = PAGES * MemoryBlock.PAGE;

  @TempDir private Path directory;
  private final OwnPages guest = new OwnPages(PAGES);
  private final OwnPages standby = new OwnPages(PAGES);
  private final Credit credit = new Credit();
  private final Recorder hv1Side = new Recorder();
  private Loopback loopback;
  private Arena arena;
  private Tracker tracker;
  private StandbyMemory memory;

  @BeforeEach
  void open() throws Exception {
    loopback = new Loopback(directory);
    arena = new Arena(ARENA_BYTES);
    tracker = new Tracker(OwnPages.pid(), TrackerKind.SHADOW, guest.blocks());
    memory = new StandbyMemory(OwnPages.pid(), standby.blocks());
  }

  @AfterEach
  void close() throws Exception {
    loopback.close();
    arena.close();
    tracker.close();
    memory.close();
  }

  @Test
  void shouldTakeASynchronisationAndEpochsToTheStandby() throws Exception {
    Backup backup = new Backup();
    PeerConnection connection = loopback.connect(hv1Side, made -> backup);
    credit.give(1 << 20);
    for (int page = 0; page < 200; page++) {
      guest.fill(page, page);
    }
    try (EpochSender sender = sender(connection)) {
      captured();
      sender.pages(0, arena, true);
      sender.endSynchronisation();
      for (int epoch = 1; epoch <= 3; epoch++) {
        guest.fill(epoch, -epoch);
        guest.poke(100, epoch, epoch);
        guest.clear(50 + epoch);
        captured();
        sender.pages(epoch, arena, false);
        ByteBuffer state = deviceState(300_000, epoch);
        long before = sender.sentBytes();
        assertThat(sender.end(epoch, state, false).bytes())
            .isGreaterThan(sender.sentBytes() - before)
            .isLessThan(400_000);

        assertThat(backup.committed.poll(30, SECONDS)).isEqualTo(state);
        assertThat(standby.all()).isEqualTo(guest.all());
      }
    }
    assertThat(backup.failure).isNotDone();
  }

  @Test
  void shouldSendDeviceStateInPiecesThatFitAChunk() throws Exception {
    Recorder backup = new Recorder();
    PeerConnection connection = loopback.connect(hv1Side, backup);
    credit.give(1 << 20);
    long length = 2 * EpochSender.CHUNK_BYTES + 1;
    ByteBuffer state = deviceState((int) length, 1);
    try (EpochSender sender = sender(connection)) {
      assertThat(sender.end(1, state, false).bytes()).isBetween(length, length + PACK_BYTES);
    }
    await().atMost(30, SECONDS).until(() -> heard(backup).frames.size() == 1);
    assertThat(heard(backup).chunks)
        .extracting(chunk -> chunk.length)
        .hasSize(3)
        .startsWith(EpochSender.CHUNK_BYTES, EpochSender.CHUNK_BYTES);
    assertThat(heard(backup).frames.get(0))
        .isInstanceOfSatisfying(Frame.EpochEnd.class, end -> assertThat(end.chunks()).isEqualTo(3));
  }

  @Test
  void shouldNotSendMoreThanTheBackupHasRoomFor() throws Exception {
    Recorder backup = new Recorder();
    PeerConnection connection = loopback.connect(hv1Side, backup);
    credit.give(EpochSender.CHUNK_BYTES);
    long length = 3 * EpochSender.CHUNK_BYTES - PACK_BYTES;
    ByteBuffer state = deviceState((int) length, 1);
    try (EpochSender sender = sender(connection)) {
      CompletableFuture<Long> ended = new CompletableFuture<>();
      Thread sending = thread(() -> ended.complete(sender.end(1, state, false).bytes()), ended);
      await().atMost(30, SECONDS).until(() -> sending.getState() == Thread.State.WAITING);
      assertThat(sender.sentBytes()).isEqualTo(EpochSender.CHUNK_BYTES);

      credit.give(2 * EpochSender.CHUNK_BYTES);

      assertThat(ended.get(30, SECONDS)).isBetween(length, length + PACK_BYTES);
    }
    await().atMost(30, SECONDS).until(() -> heard(backup).frames.size() == 1);
    assertThat(heard(backup).chunks).hasSize(3);
  }

  @Test
  void shouldNameThePeerWhenTheConnectionIsLostWhileItWaitsForRoom() throws Exception {
    PeerConnection connection = loopback.connect(hv1Side, new Recorder());
    try (EpochSender sender = sender(connection)) {
      CompletableFuture<Long> ended = new CompletableFuture<>();
      Thread sending =
          thread(() -> ended.complete(sender.end(1, deviceState(100, 1), false).bytes()), ended);
      await().atMost(30, SECONDS).until(() -> sending.getState() == Thread.State.WAITING);

      credit.close();

      assertThatThrownBy(() -> ended.get(30, SECONDS))
          .hasCauseInstanceOf(IOException.class)
          .hasMessageContaining("the connection to hv2 is lost");
    }
  }

  @Test
  void shouldHoldNoMoreMemoryForPagesThatPackedWellThanTheyTake() throws Exception {
    CountDownLatch stuck = new CountDownLatch(1);
    CountDownLatch over = new CountDownLatch(1);
    PeerConnection connection =
        loopback.connect(
            to -> new Stuck(stuck, over),
            from -> {
              from.sendNow(new Frame.Credit(1));
              return new Recorder().opened(from);
            });
    assertThat(stuck.await(30, SECONDS)).isTrue();
    credit.give(1 << 20);
    for (int page = 0; page < PAGES; page++) {
      guest.poke(page, page, 1);
    }
    UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);
    try (EpochSender sender =
        new EpochSender(connection, allocator, credit, new Packing(), ARENA_BYTES)) {
      captured();
      sender.pages(1, arena, false);

      assertThat(sender.sentBytes()).isBetween(1L, ARENA_BYTES / 20L);
      assertThat(allocator.metric().usedDirectMemory()).isEqualTo(sender.sentBytes());
    } finally {
      over.countDown();
    }
  }

  /** Keeps the connection's event loop from sending what is put. */
  private record Stuck(CountDownLatch stuck, CountDownLatch over) implements FrameListener {
    @Override
    public void onFrame(Frame frame) {
      stuck.countDown();
      try {
        over.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void onClosed(PeerException cause) {}
  }

  private interface Sending {
    void send() throws IOException;
  }

  private static Thread thread(Sending sending, CompletableFuture<?> result) {
    Thread thread =
        new Thread(
            () -> {
              try {
                sending.send();
              } catch (IOException e) {
                result.completeExceptionally(e);
              }
            });
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private static Recorder.Heard heard(Recorder recorder) {
    return recorder.accepted.get(0);
  }

  private EpochSender sender(PeerConnection connection) throws IOException {
    return new EpochSender(
        connection, loopback.transport().allocator(), credit, new Packing(), ARENA_BYTES);
  }

  private void captured() throws IOException {
    tracker.scan();
    assertThat(tracker.copy(arena)).isZero();
  }

  /** Such that packing makes it no less. */
  private static ByteBuffer deviceState(int bytes, int seed) {
    byte[] state = new byte[bytes];
    new Random(seed).nextBytes(state);
    return ByteBuffer.allocateDirect(bytes).put(state).flip();
  }

  /** Gives credit back and applies whole epochs, on the connection's event loop. */
  private final class Backup implements FrameListener {
    final BlockingQueue<ByteBuffer> committed = new LinkedBlockingQueue<>();
    final CompletableFuture<PeerException> failure = new CompletableFuture<>();
    private final EpochReceiver receiver = new EpochReceiver(directory, 1 << 20, PAGES, List.of());
    private final Committer committer = new Committer(Term.FIRST, memory, null);

    Backup() throws IOException {}

    @Override
    public void onFrame(Frame frame) {
      try {
        if (frame instanceof Frame.Chunk chunk) {
          credit.give(receiver.chunk(chunk, committer));
        } else if (frame instanceof Frame.EpochEnd end) {
          try (EpochStage stage = receiver.end(end)) {
            credit.give(stage.drainTo(memory::apply));
            committed.add(stage.deviceState());
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void onClosed(PeerException cause) {
      failure.complete(cause);
    }
  }
}
