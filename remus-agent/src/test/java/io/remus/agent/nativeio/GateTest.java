package io.remus.agent.nativeio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The pause, with a thread that comes to the gate as QEMU would. */
class GateTest {
  private static final int PAGES = 32;
  private static final int LONG_MS = 30_000;
  private static final int STATE_ROOM = 64 * 1024;

  @TempDir private Path directory;
  private final OwnPages guest = new OwnPages(PAGES);
  private Path path;
  private Gate gate;
  private Tracker tracker;
  private Arena arena;

  @BeforeEach
  void open() throws Exception {
    path = directory.resolve("gate");
    gate = newGate();
    arena = new Arena(4 * MemoryBlock.PAGE);
    tracker = new Tracker(OwnPages.pid(), TrackerKind.SHADOW, guest.blocks());
    tracker.scan();
    while (tracker.copy(arena) > 0) {
      assertThat(tracker.pending()).isPositive();
    }
  }

  @AfterEach
  void close() {
    gate.close();
    tracker.close();
    arena.close();
    assertThat(path).doesNotExist();
  }

  @Test
  void shouldTakePagesAndDeviceStateAndLetTheGuestGo() throws Exception {
    Counter writes = new Counter();
    for (int epoch = 1; epoch <= 3; epoch++) {
      guest.fill(7, epoch);
      guest.fill(8, epoch);
      byte[] state = deviceState(20_000, epoch);
      CompletableFuture<Void> qemu = qemu(state);

      writes.set(40 + epoch);
      assertThat(pause(writes, LONG_MS)).isTrue();

      qemu.get(LONG_MS, TimeUnit.MILLISECONDS);
      assertThat(gate.pages()).isEqualTo(2);
      assertThat(gate.deviceState()).isEqualTo(ByteBuffer.wrap(state));
      assertThat(gate.marker()).as("there is no queue").isEqualTo(-1);
      assertThat(gate.writes()).isEqualTo(40 + epoch);
      assertThat(gate.stoppedAtNs()).isPositive().isLessThanOrEqualTo(gate.resumedAtNs());
      assertThat(gate.resumedAtNs()).isLessThanOrEqualTo(System.nanoTime());
      assertThat(gate.scanNs() + gate.copyNs())
          .isPositive()
          .isLessThanOrEqualTo(gate.resumedAtNs() - gate.stoppedAtNs());
    }
  }

  @Test
  void shouldHoldTheGuestUntilEverythingIsTaken() throws Exception {
    for (int page = 0; page < 10; page++) {
      guest.fill(page, page);
    }
    CompletableFuture<Void> qemu = qemu(deviceState(20_000, 1));

    assertThat(pause(null, LONG_MS)).isFalse();
    assertThat(gate.pages()).isEqualTo(4);
    assertThat(qemu).isNotDone();
    assertThat(gate.more(tracker, arena)).isFalse();
    assertThat(qemu).isNotDone();
    assertThat(gate.more(tracker, arena)).isTrue();

    qemu.get(LONG_MS, TimeUnit.MILLISECONDS);
    assertThat(gate.pages()).isEqualTo(2);
  }

  @Test
  void shouldGiveThePagesBackWhenAnEpochIsAborted() throws Exception {
    for (int page = 0; page < 10; page++) {
      guest.fill(page, page);
    }
    CompletableFuture<Void> qemu = qemu(deviceState(20_000, 1));
    assertThat(pause(null, LONG_MS)).isFalse();

    gate.abort(tracker, arena);

    qemu.get(LONG_MS, TimeUnit.MILLISECONDS);
    assertThat(tracker.pending()).isEqualTo(10);
  }

  @Test
  void shouldSlowTheGuestForAWhileAndLetItGo() throws Exception {
    long holdNs = 20_000_000;
    long beganNs = System.nanoTime();
    CompletableFuture<Void> qemu = qemu(deviceState(20_000, 1));

    gate.hold(tracker, false, holdNs, LONG_MS);

    qemu.get(LONG_MS, TimeUnit.MILLISECONDS);
    assertThat(System.nanoTime() - beganNs).isGreaterThanOrEqualTo(holdNs);
  }

  @Test
  void shouldLetAGuestGoWhoseDeviceStateIsTooLargeAndKeepItsPages() throws Exception {
    guest.fill(3, 3);
    CompletableFuture<Void> qemu = qemu(deviceState(STATE_ROOM + 1, 1));

    assertThat(pauseFails(LONG_MS)).isEqualTo(Errno.ENOBUFS);

    qemu.get(LONG_MS, TimeUnit.MILLISECONDS);
    assertThat(tracker.pending()).isEqualTo(1);
    pausesAgain();
  }

  @Test
  void shouldTakeNothingForDeviceStateThatDoesNotBeginLikeIt() throws Exception {
    guest.fill(3, 3);
    CompletableFuture<Void> qemu = qemu("error: no".getBytes(StandardCharsets.US_ASCII));

    assertThat(pauseFails(LONG_MS)).isEqualTo(Errno.EPROTO);

    qemu.get(LONG_MS, TimeUnit.MILLISECONDS);
    assertThat(tracker.pending()).isEqualTo(1);
    pausesAgain();
  }

  @Test
  void shouldLetAGuestThatComesTooLateGoByItself() throws Exception {
    assertThat(pauseFails(50)).isEqualTo(Errno.ETIMEDOUT);

    qemu(deviceState(20_000, 1)).get(LONG_MS, TimeUnit.MILLISECONDS);
    assertThat(path).isRegularFile();
    assertThatThrownBy(() -> pause(null, LONG_MS)).isInstanceOf(NativeException.class);

    gate.close();
    gate = newGate();
    guest.fill(3, 3);
    pausesAgain();
  }

  @Test
  void shouldLetTheGuestGoWhenTheAgentLeavesTheGate() throws Exception {
    for (int page = 0; page < 10; page++) {
      guest.fill(page, page);
    }
    CompletableFuture<Void> qemu = qemu(deviceState(20_000, 1));
    assertThat(pause(null, LONG_MS)).isFalse();

    gate.close();

    ExecutionException failure =
        catchThrowableOfType(
            ExecutionException.class, () -> qemu.get(LONG_MS, TimeUnit.MILLISECONDS));
    assertThat(failure).hasMessageContaining("Broken pipe");
  }

  @Test
  void shouldSayWhereAGateCannotBeMade() {
    Path nowhere = directory.resolve("missing/gate");

    assertThatThrownBy(() -> new Gate(nowhere.toString(), 0, 0, STATE_ROOM))
        .isInstanceOf(NativeException.class)
        .hasMessageStartingWith("make the gate " + nowhere);
  }

  private boolean pause(Counter writes, int timeoutMs) throws NativeException {
    gate.begin(tracker, arena, 1, Long.MAX_VALUE);
    return gate.pause(tracker, arena, null, writes, timeoutMs);
  }

  private Gate newGate() throws Exception {
    int uid = (int) Files.getAttribute(directory, "unix:uid");
    int gid = (int) Files.getAttribute(directory, "unix:gid");
    return new Gate(path.toString(), uid, gid, STATE_ROOM);
  }

  private int pauseFails(int timeoutMs) {
    return catchThrowableOfType(NativeException.class, () -> pause(null, timeoutMs)).errno();
  }

  private void pausesAgain() throws Exception {
    CompletableFuture<Void> qemu = qemu(deviceState(20_000, 2));
    assertThat(pause(null, LONG_MS)).isTrue();
    assertThat(gate.pages()).isEqualTo(1);
    qemu.get(LONG_MS, TimeUnit.MILLISECONDS);
  }

  private static byte[] deviceState(int bytes, int seed) {
    byte[] state = new byte[bytes];
    state[bytes - 1] = (byte) seed;
    System.arraycopy("QEVM".getBytes(StandardCharsets.US_ASCII), 0, state, 0, 4);
    return state;
  }

  /** Done when the guest would run again. */
  private CompletableFuture<Void> qemu(byte[] state) {
    CompletableFuture<Void> running = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try (FileOutputStream out = new FileOutputStream(path.toFile())) {
                for (int at = 0; at < state.length; at += MemoryBlock.PAGE) {
                  out.write(state, at, Math.min(MemoryBlock.PAGE, state.length - at));
                }
                out.close();
                running.complete(null);
              } catch (IOException e) {
                running.completeExceptionally(e);
              }
            },
            "qemu");
    thread.setDaemon(true);
    thread.start();
    return running;
  }
}
