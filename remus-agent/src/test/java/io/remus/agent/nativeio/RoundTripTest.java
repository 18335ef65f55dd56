package io.remus.agent.nativeio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Written pages: found, copied, encoded, checked and written into another process's memory. */
class RoundTripTest {
  private static final int PAGES = 64;
  private static final int ARENA_BYTES = PAGES * MemoryBlock.PAGE;

  @ParameterizedTest
  @EnumSource(TrackerKind.class)
  void shouldMakeTheStandbyEqualToTheGuest(TrackerKind kind) throws Exception {
    assumeTrue(
        Features.probe().supports(kind), "this kernel has no " + kind.configName() + " tracker");
    OwnPages standbyPages = new OwnPages(PAGES);
    try (Victim guest = new Victim(PAGES)) {
      guest.fill(0, 1);
      guest.fill(5, 2);
      try (Tracker tracker = new Tracker(guest.pid(), kind, guest.blocks());
          Arena arena = new Arena(ARENA_BYTES);
          Encoder encoder = new Encoder(ARENA_BYTES);
          StandbyMemory standby = new StandbyMemory(OwnPages.pid(), standbyPages.blocks())) {
        assertThat(tracker.kind()).isEqualTo(kind);
        epoch(tracker, arena, encoder, standby);
        assertThat(standbyPages.all()).isEqualTo(guest.all());

        guest.fill(5, 3);
        guest.fill(6, 3);
        guest.fill(63, 4);
        assertThat(epoch(tracker, arena, encoder, standby)).isEqualTo(3);
        assertThat(standbyPages.all()).isEqualTo(guest.all());

        guest.fill(5, 0);
        assertThat(epoch(tracker, arena, encoder, standby)).isEqualTo(1);
        assertThat(standbyPages.all()).isEqualTo(guest.all());

        assertThat(epoch(tracker, arena, encoder, standby)).isZero();
      }
      guest.fill(7, 1);
      assertThat(guest.all()[7 * MemoryBlock.PAGE]).as("the guest lives on").isEqualTo((byte) 1);
    }
  }

  @Test
  void shouldTakeNoMoreThanTheArenaHoldsAndTheRestLater() throws Exception {
    OwnPages guest = new OwnPages(PAGES);
    try (Tracker tracker = new Tracker(OwnPages.pid(), TrackerKind.SHADOW, guest.blocks());
        Arena arena = new Arena(4 * MemoryBlock.PAGE)) {
      tracker.scan();
      while (tracker.copy(arena) > 0) {
        assertThat(tracker.pending()).isPositive();
      }
      for (int page = 10; page < 20; page++) {
        guest.fill(page, page);
      }

      assertThat(tracker.scan()).isEqualTo(10);
      assertThat(tracker.copy(arena)).isEqualTo(6);
      assertThat(tracker.copy(arena)).isEqualTo(2);
      assertThat(tracker.copy(arena)).isZero();
      assertThat(tracker.pending()).isZero();
    }
  }

  @Test
  void shouldSendOnlyWhatChanged() throws Exception {
    OwnPages guest = new OwnPages(PAGES);
    OwnPages standbyPages = new OwnPages(PAGES);
    guest.fill(1, 1);
    guest.fill(2, 2);
    guest.fill(3, 3);
    try (Tracker tracker = new Tracker(OwnPages.pid(), TrackerKind.SHADOW, guest.blocks());
        Arena arena = new Arena(ARENA_BYTES);
        Encoder encoder = new Encoder(ARENA_BYTES);
        StandbyMemory standby = new StandbyMemory(OwnPages.pid(), standbyPages.blocks())) {
      epoch(tracker, arena, encoder, standby);
      long full = encoder.fullPages();
      long zero = encoder.zeroPages();
      assertThat(full).isEqualTo(3);

      guest.poke(1, 100, guest.page(1)[100] + 1);
      guest.clear(2);
      epoch(tracker, arena, encoder, standby);

      assertThat(encoder.patchedPages()).isEqualTo(1);
      assertThat(encoder.zeroPages()).isEqualTo(zero + 1);
      assertThat(encoder.fullPages()).isEqualTo(full);
      assertThat(standbyPages.all()).isEqualTo(guest.all());
    }
  }

  @Test
  void shouldSendWholePagesAgainAfterItForgotWhatItSent() throws Exception {
    OwnPages guest = new OwnPages(PAGES);
    OwnPages freshPages = new OwnPages(PAGES);
    guest.fill(1, 1);
    try (Tracker tracker = new Tracker(OwnPages.pid(), TrackerKind.SHADOW, guest.blocks());
        Arena arena = new Arena(ARENA_BYTES);
        Encoder encoder = new Encoder(ARENA_BYTES);
        StandbyMemory fresh = new StandbyMemory(OwnPages.pid(), freshPages.blocks())) {
      epoch(tracker, arena, encoder, null);
      encoder.reset();
      guest.poke(1, 0, guest.page(1)[0] + 1);

      epoch(tracker, arena, encoder, fresh);

      assertThat(encoder.patchedPages()).isZero();
      assertThat(freshPages.page(1)).isEqualTo(guest.page(1));
    }
  }

  @Test
  void shouldLeaveOutZeroPagesForAFreshStandby() throws Exception {
    OwnPages guest = new OwnPages(PAGES);
    guest.fill(9, 9);
    try (Tracker tracker = new Tracker(OwnPages.pid(), TrackerKind.SHADOW, guest.blocks());
        Arena arena = new Arena(ARENA_BYTES);
        Encoder encoder = new Encoder(ARENA_BYTES)) {
      for (int page = 0; page < PAGES; page++) {
        guest.poke(page, 0, guest.page(page)[0]);
      }
      tracker.scan();
      tracker.copy(arena);
      ByteBuf records = Unpooled.directBuffer(2 * ARENA_BYTES, 2 * ARENA_BYTES);
      try {
        encoder.encode(arena, records, true, false);

        assertThat(records.readableBytes())
            .as("one page in records, and next to nothing around it")
            .isBetween(MemoryBlock.PAGE, MemoryBlock.PAGE + 100);
      } finally {
        records.release();
      }
    }
  }

  @Test
  void shouldZeroWhatTheStandbyWroteByItself() throws Exception {
    OwnPages pages = new OwnPages(PAGES);
    pages.fill(3, 3);
    try (StandbyMemory standby = new StandbyMemory(OwnPages.pid(), pages.blocks())) {
      assertThat(standby.blank()).isPositive();
    }
    assertThat(pages.all()).containsOnly(0);
  }

  @Test
  void shouldNotFindTruncatedOrForeignRecordsWellFormed() throws Exception {
    OwnPages guest = new OwnPages(PAGES);
    guest.fill(63, 1);
    try (Tracker tracker = new Tracker(OwnPages.pid(), TrackerKind.SHADOW, guest.blocks());
        Arena arena = new Arena(ARENA_BYTES);
        Encoder encoder = new Encoder(ARENA_BYTES)) {
      ByteBuf records = records(tracker, arena, encoder);
      try {
        assertThat(StandbyMemory.wellFormed(records, PAGES)).isTrue();
        assertThat(StandbyMemory.wellFormed(records, PAGES - 1)).isFalse();
        for (int bytes = records.readableBytes() - 1; bytes > MemoryBlock.PAGE; bytes -= 97) {
          ByteBuf truncated = records.duplicate().writerIndex(bytes);
          int whole = bytes;
          assertThat(StandbyMemory.wellFormed(truncated, PAGES))
              .as(() -> "cut at " + whole)
              .isFalse();
        }
      } finally {
        records.release();
      }
    }
  }

  @Test
  void shouldSayWhatFailedAndWhy() {
    List<MemoryBlock> nowhere = List.of(new MemoryBlock(MemoryBlock.PAGE, MemoryBlock.PAGE));

    assertThatThrownBy(() -> new StandbyMemory(OwnPages.pid(), nowhere))
        .isInstanceOf(NativeException.class)
        .hasMessage(
            "open the memory of standby process %d: the process has no such memory"
                .formatted(OwnPages.pid()));
    assertThatThrownBy(
            () -> new Tracker(Integer.MAX_VALUE, TrackerKind.SHADOW, new OwnPages(1).blocks()))
        .hasMessage("watch the memory of process 2147483647: the process is gone")
        .extracting(e -> ((NativeException) e).errno())
        .isEqualTo(Errno.ESRCH);
  }

  @Test
  void shouldFailWhenTheStandbyIsGone() throws Exception {
    OwnPages guest = new OwnPages(PAGES);
    guest.fill(1, 1);
    Victim gone = new Victim(PAGES);
    try (gone;
        StandbyMemory standby = new StandbyMemory(gone.pid(), gone.blocks());
        Tracker tracker = new Tracker(OwnPages.pid(), TrackerKind.SHADOW, guest.blocks());
        Arena arena = new Arena(ARENA_BYTES);
        Encoder encoder = new Encoder(ARENA_BYTES)) {
      gone.close();

      assertThatThrownBy(() -> epoch(tracker, arena, encoder, standby))
          .hasMessage("write the standby's memory: the process is gone");
    }
  }

  @Test
  void shouldNotBeUsedAfterItsEnd() throws Exception {
    Arena arena = new Arena(ARENA_BYTES);
    arena.close();
    arena.close();

    assertThatThrownBy(arena::pointer)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("Arena is closed");
  }

  /** Takes one epoch to the standby. Returns its pages. */
  private static long epoch(Tracker tracker, Arena arena, Encoder encoder, StandbyMemory standby)
      throws Exception {
    long before = pages(encoder);
    ByteBuf records = records(tracker, arena, encoder);
    try {
      assertThat(StandbyMemory.wellFormed(records, PAGES)).isTrue();
      if (standby != null) {
        standby.apply(records);
      }
    } finally {
      records.release();
    }
    return pages(encoder) - before;
  }

  private static ByteBuf records(Tracker tracker, Arena arena, Encoder encoder) throws Exception {
    tracker.scan();
    assertThat(tracker.copy(arena)).isZero();
    ByteBuf records = Unpooled.directBuffer(2 * ARENA_BYTES, 2 * ARENA_BYTES);
    while (encoder.encode(arena, records, false, false)) {
      assertThat(records.isReadable()).isTrue();
    }
    return records;
  }

  private static long pages(Encoder encoder) {
    return encoder.zeroPages()
        + encoder.unchangedPages()
        + encoder.patchedPages()
        + encoder.fullPages();
  }
}
