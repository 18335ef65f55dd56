package io.remus.core.wire;

import static io.remus.core.wire.ChunkKind.DEVICE_STATE;
import static io.remus.core.wire.ChunkKind.PAGES;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.Unpooled;
import io.remus.core.wire.Frame.Chunk;
import io.remus.core.wire.Frame.EpochEnd;
import java.util.List;
import org.junit.jupiter.api.Test;

class EpochAssemblyTest {

  private final EpochAssembly assembly = new EpochAssembly();

  @Test
  void shouldTakeTheInitialSynchronisationAndThenEpochAfterEpoch() {
    assertThatCode(
            () -> {
              receive(chunk(0, 0, PAGES), chunk(0, 1, PAGES));
              whole(chunk(1, 0, PAGES), chunk(1, 1, DEVICE_STATE));
              whole(chunk(2, 0, DEVICE_STATE), chunk(2, 1, DEVICE_STATE));
            })
        .doesNotThrowAnyException();
  }

  @Test
  void shouldBeginWithEpochOneWhenThereWasNothingToSynchronise() {
    assertThatCode(() -> whole(chunk(1, 0, DEVICE_STATE))).doesNotThrowAnyException();
  }

  @Test
  void shouldRefuseAMissingOrRepeatedChunk() {
    receive(chunk(1, 0, PAGES));

    refuses(() -> receive(chunk(1, 2, PAGES)), "chunk 2 of epoch 1 came in place of chunk 1");
    refuses(() -> receive(chunk(1, 0, PAGES)), "chunk 0 of epoch 1 came in place of chunk 1");
  }

  @Test
  void shouldRefuseASkippedOrOlderEpoch() {
    refuses(() -> receive(chunk(2, 0, PAGES)), "a chunk of epoch 2 came in epoch 0");
    whole(chunk(1, 0, DEVICE_STATE));
    refuses(() -> receive(chunk(3, 0, PAGES)), "a chunk of epoch 3 came in epoch 2");
    refuses(() -> receive(chunk(1, 0, PAGES)), "a chunk of epoch 1 came in epoch 2");
    refuses(() -> receive(chunk(0, 0, PAGES)), "a chunk of epoch 0 came in epoch 2");
  }

  @Test
  void shouldRefuseTheEndOfAnotherEpoch() {
    receive(chunk(1, 0, DEVICE_STATE));

    refuses(
        () -> assembly.end(new EpochEnd(2, 1, 4, 0, false)), "the end of epoch 2 came in epoch 1");
  }

  @Test
  void shouldRefuseAnEpochWithoutDeviceState() {
    Chunk pages = chunk(1, 0, PAGES);
    receive(pages);

    refuses(() -> assembly.end(end(pages)), "epoch 1 has no device state");
  }

  @Test
  void shouldRefuseDeviceStateDuringTheInitialSynchronisation() {
    refuses(
        () -> receive(chunk(0, 0, DEVICE_STATE)),
        "device state came during the initial synchronisation");
  }

  @Test
  void shouldRefuseAnEpochThatDoesNotAddUp() {
    Chunk first = chunk(1, 0, PAGES);
    Chunk second = chunk(1, 1, DEVICE_STATE);
    EpochEnd end = end(first, second);
    receive(first, second);

    for (EpochEnd wrong :
        List.of(
            new EpochEnd(1, end.chunks() + 1, end.bytes(), end.total(), false),
            new EpochEnd(1, end.chunks(), end.bytes() - 1, end.total(), false),
            new EpochEnd(1, end.chunks(), end.bytes(), end.total() ^ 1, false))) {
      refuses(() -> assembly.end(wrong), "epoch 1 does not add up");
    }
    assertThatCode(() -> assembly.end(end)).doesNotThrowAnyException();
  }

  private void whole(Chunk... chunks) {
    receive(chunks);
    assembly.end(end(chunks));
  }

  private void receive(Chunk... chunks) {
    for (Chunk chunk : chunks) {
      assembly.add(chunk);
    }
  }

  private static EpochEnd end(Chunk... chunks) {
    EpochTally tally = new EpochTally();
    for (Chunk chunk : chunks) {
      tally.add(chunk);
    }
    return tally.end(chunks[0].epoch(), false);
  }

  private static Chunk chunk(long epoch, int index, ChunkKind kind) {
    return Chunk.of(epoch, index, kind, Unpooled.wrappedBuffer(new byte[] {1, 2, 3, (byte) index}));
  }

  private static void refuses(Runnable action, String message) {
    assertThatThrownBy(action::run)
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining(message);
  }
}
