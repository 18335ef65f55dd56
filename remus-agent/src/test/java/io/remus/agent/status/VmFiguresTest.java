package io.remus.agent.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.netty.buffer.Unpooled;
import io.remus.core.control.Figures;
import io.remus.core.wire.ChunkKind;
import io.remus.core.wire.EpochTally;
import io.remus.core.wire.Frame.Chunk;
import org.junit.jupiter.api.Test;

class VmFiguresTest {
  private static final long MS = 1_000_000L;
  private static final long SECOND = 1_000 * MS;

  private final VmFigures figures = new VmFigures(0);

  @Test
  void shouldHaveNothingToShowBeforeTheFirstEpoch() {
    assertThat(figures.snapshot(SECOND)).isEmpty();
  }

  @Test
  void shouldShowMedianNinetyNinthPercentileAndMaximum() {
    for (long i = 1; i <= 100; i++) {
      figures.captured(i * MS, i * 10);
      figures.sent(epoch(i));
      figures.acked(i * 25 * MS, i * 2 * MS);
    }

    Figures snapshot = figures.snapshot(100 * 25 * MS).orElseThrow();

    assertThat(snapshot.pauseMs().p50()).isCloseTo(50, within(0.1));
    assertThat(snapshot.pauseMs().p99()).isCloseTo(99, within(0.1));
    assertThat(snapshot.pauseMs().max()).isCloseTo(100, within(0.1));
    assertThat(snapshot.ackMs().p50()).isCloseTo(100, within(0.2));
    assertThat(snapshot.dirtyPages().p50()).isBetween(500L, 505L);
    assertThat(snapshot.bytesPerEpoch().max()).isBetween(100_000L, 101_000L);
    assertThat(snapshot.sentBytes()).isEqualTo(new Figures.SentBytes(5050 * 990, 0, 5050 * 10));
    assertThat(snapshot.epochs()).isEqualTo(100);
  }

  /** 1,000 bytes times {@code size}. */
  private static EpochTally epoch(long size) {
    EpochTally tally = new EpochTally();
    tally.add(chunk(tally, ChunkKind.PAGES, 990 * (int) size));
    tally.add(chunk(tally, ChunkKind.DEVICE_STATE, 10 * (int) size));
    return tally;
  }

  private static Chunk chunk(EpochTally tally, ChunkKind kind, int bytes) {
    return Chunk.of(1, tally.chunks(), kind, Unpooled.wrappedBuffer(new byte[bytes]));
  }

  @Test
  void shouldCountEpochsASecondOverTheLastTenSecondsOnly() {
    figures.captured(MS, 1);
    for (long i = 0; i < 400; i++) {
      figures.acked(i * 25 * MS, MS);
    }
    assertThat(rate(10 * SECOND)).isCloseTo(40, within(0.5));

    for (long i = 0; i < 100; i++) {
      figures.acked(10 * SECOND + i * 100 * MS, MS);
    }
    assertThat(rate(20 * SECOND - 1)).isCloseTo(10, within(0.2));
    assertThat(rate(31 * SECOND)).isZero();
  }

  @Test
  void shouldDivideByTheTimeSinceTheStartWhenThatIsLessThanTheWindow() {
    figures.captured(MS, 1);
    for (long i = 0; i < 40; i++) {
      figures.acked(i * 25 * MS, MS);
    }

    assertThat(rate(SECOND - 1)).isCloseTo(40, within(0.5));
  }

  @Test
  void shouldCountAnEpochBeyondTheRangeAsTheLargest() {
    figures.captured(Long.MAX_VALUE, -1);

    assertThat(figures.snapshot(0).orElseThrow().pauseMs().max()).isGreaterThan(599_000);
    assertThat(figures.snapshot(0).orElseThrow().dirtyPages().max()).isZero();
  }

  @Test
  void shouldShowPacketsHeldNowAndDroppedSoFarAndCountThrottledEpochs() {
    figures.captured(MS, 1);
    figures.held(9);
    figures.held(4);
    figures.dropped(2);
    figures.dropped(5);
    figures.throttled();

    Figures snapshot = figures.snapshot(0).orElseThrow();

    assertThat(snapshot.heldPackets()).isEqualTo(4);
    assertThat(snapshot.droppedPackets()).isEqualTo(5);
    assertThat(snapshot.throttledEpochs()).isEqualTo(1);
  }

  private double rate(long nowNs) {
    return figures.snapshot(nowNs).orElseThrow().epochsPerSecond();
  }
}
