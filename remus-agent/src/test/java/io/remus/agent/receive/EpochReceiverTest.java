package io.remus.agent.receive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.remus.agent.nativeio.MemoryBlock;
import io.remus.agent.nativeio.PackedStates;
import io.remus.agent.nativeio.Records;
import io.remus.agent.stage.EpochStage;
import io.remus.core.wire.ChunkKind;
import io.remus.core.wire.DiskImage;
import io.remus.core.wire.DiskRecords;
import io.remus.core.wire.EpochTally;
import io.remus.core.wire.Frame.Chunk;
import io.remus.core.wire.Frame.EpochEnd;
import io.remus.core.wire.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EpochReceiverTest {
  private static final int PAGES = 100;
  private static final List<DiskImage> DISKS = List.of(new DiskImage("vda", 1 << 20));
  private static final int RECORD_BYTES = 8 + MemoryBlock.PAGE;

  @TempDir private Path directory;
  private final List<Integer> synchronised = new ArrayList<>();
  private final List<String> disk = new ArrayList<>();
  private final List<Chunk> sent = new ArrayList<>();
  private EpochTally tally = new EpochTally();
  private PackedStates states;
  private EpochReceiver receiver;

  @BeforeEach
  void open() throws Exception {
    states = new PackedStates();
    receiver = new EpochReceiver(directory, 1 << 20, PAGES, DISKS);
  }

  @AfterEach
  void everyBufferHasBeenFreed() throws Exception {
    receiver.close();
    states.close();
    assertThat(sent).allMatch(chunk -> chunk.refCnt() == 0);
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void shouldHandOnAWholeEpoch() throws Exception {
    assertThat(receive(1, ChunkKind.PAGES, Records.full(3, 33))).as("credit").isZero();
    assertThat(receive(1, ChunkKind.PAGES, Records.zero(4, 5))).as("credit").isZero();
    ByteBuf state = states.of("QEVM...");
    int bytes = state.readableBytes();
    assertThat(receive(1, ChunkKind.DEVICE_STATE, state)).as("credit").isEqualTo(bytes);

    List<Integer> pages = new ArrayList<>();
    try (EpochStage stage = receiver.end(end(1))) {
      assertThat(stage.deviceState()).isEqualTo(StandardCharsets.US_ASCII.encode("QEVM..."));
      assertThat(stage.drainTo(records -> pages.add(records.getInt(0))))
          .as("credit")
          .isEqualTo(RECORD_BYTES + 8);
    }
    assertThat(pages).containsExactly(3, 4);
    assertThat(synchronised).isEmpty();
  }

  @Test
  void shouldStageTheNextEpochApartFromTheOneBefore() throws Exception {
    receive(1, ChunkKind.PAGES, Records.full(1, 1));
    receive(1, ChunkKind.DEVICE_STATE, states.of("one"));
    try (EpochStage first = receiver.end(end(1))) {
      receive(2, ChunkKind.PAGES, Records.full(2, 2));
      receive(2, ChunkKind.DEVICE_STATE, states.of("two"));
      try (EpochStage second = receiver.end(end(2))) {
        assertThat(first.deviceState()).isEqualTo(StandardCharsets.US_ASCII.encode("one"));
        assertThat(second.deviceState()).isEqualTo(StandardCharsets.US_ASCII.encode("two"));
      }
    }
  }

  @Test
  void shouldPutADeviceStateTogetherFromItsPieces() throws Exception {
    ByteBuf state = states.of("QEVM and more");
    receive(1, ChunkKind.DEVICE_STATE, state.readRetainedSlice(7));
    receive(1, ChunkKind.DEVICE_STATE, state);

    try (EpochStage stage = receiver.end(end(1))) {
      assertThat(stage.deviceState()).isEqualTo(StandardCharsets.US_ASCII.encode("QEVM and more"));
    }
  }

  @Test
  void shouldRefuseADeviceStateThatIsNotPackedAgainstTheOneBefore() throws Exception {
    receive(1, ChunkKind.DEVICE_STATE, Unpooled.directBuffer().writeBytes(new byte[99]));

    refuses(() -> receiver.end(end(1)), "the device state of epoch 1 is malformed");
  }

  @Test
  void shouldHandDiskRecordsOnAsTheyComeAndGiveTheirCreditBack() throws Exception {
    assertThat(receive(0, ChunkKind.DISK, zeroes(4096))).as("credit").isEqualTo(16);
    tally = new EpochTally();
    assertThat(receive(1, ChunkKind.DISK, zeroes(4096))).as("credit").isEqualTo(16);

    assertThat(disk).containsExactly("epoch 0: 16 bytes", "epoch 1: 16 bytes");
  }

  @Test
  void shouldNotLetMalformedDiskRecordsThrough() {
    assertThatThrownBy(() -> receive(1, ChunkKind.DISK, zeroes((1 << 20) + 1)))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("outside disk vda");
    assertThat(disk).isEmpty();
  }

  private static ByteBuf zeroes(int length) {
    ByteBuf records = Unpooled.buffer();
    DiskRecords.zero(0, 0, length, records);
    return records;
  }

  @Test
  void shouldApplyTheSynchronisationAtOnceAndGiveItsCreditBack() throws Exception {
    assertThat(receive(0, ChunkKind.PAGES, Records.full(7, 1))).isEqualTo(RECORD_BYTES);
    assertThat(receive(0, ChunkKind.PAGES, Records.full(8, 1))).isEqualTo(RECORD_BYTES);

    assertThat(synchronised).containsExactly(7, 8);
    assertThat(sent).allMatch(chunk -> chunk.refCnt() == 0);
  }

  @Test
  void shouldDiscardAnEpochThatIsCutOff() throws Exception {
    receive(1, ChunkKind.PAGES, Records.full(3, 3));
    receive(1, ChunkKind.PAGES, Records.full(4, 4));
    assertThat(sent).allMatch(chunk -> chunk.refCnt() == 1);

    receiver.close();

    assertThat(sent).allMatch(chunk -> chunk.refCnt() == 0);
    assertThat(synchronised).as("nothing reached the standby").isEmpty();
  }

  @Test
  void shouldRefuseAnEpochWithoutDeviceState() throws Exception {
    receive(1, ChunkKind.PAGES, Records.full(3, 3));

    refuses(() -> receiver.end(end(1)), "epoch 1 has no device state");
  }

  @Test
  void shouldRefuseAnEpochThatLacksAChunk() throws Exception {
    receive(1, ChunkKind.PAGES, Records.full(3, 3));
    tally.add(chunk(1, 1, ChunkKind.PAGES, Records.full(4, 4)));
    sent.get(1).release();

    refuses(
        () -> receive(1, ChunkKind.DEVICE_STATE, states.of("QEVM")),
        "chunk 2 of epoch 1 came in place of chunk 1");
  }

  @Test
  void shouldRefuseAnEndThatDoesNotAddUp() throws Exception {
    receive(1, ChunkKind.PAGES, Records.full(3, 3));
    receive(1, ChunkKind.DEVICE_STATE, states.of("QEVM"));
    EpochEnd right = end(1);

    refuses(
        () ->
            receiver.end(new EpochEnd(1, right.chunks(), right.bytes(), right.total() ^ 1, false)),
        "epoch 1 does not add up");
    refuses(
        () ->
            receiver.end(
                new EpochEnd(1, right.chunks() + 1, right.bytes() + 1, right.total(), false)),
        "epoch 1 does not add up");
  }

  @Test
  void shouldRefuseAnEpochOutOfTurn() {
    refuses(
        () -> receive(2, ChunkKind.PAGES, Records.full(3, 3)),
        "a chunk of epoch 2 came in epoch 0");
  }

  @Test
  void shouldRefuseTheSynchronisationOnceEpochsHaveBegun() throws Exception {
    receive(1, ChunkKind.PAGES, Records.full(3, 3));

    refuses(
        () -> receive(0, ChunkKind.PAGES, Records.full(3, 3)),
        "a chunk of epoch 0 came in epoch 1");
    assertThat(synchronised).isEmpty();
  }

  @Test
  void shouldRefuseAPageThatTheGuestDoesNotHave() {
    refuses(
        () -> receive(1, ChunkKind.PAGES, Records.full(PAGES, 3)),
        "chunk 0 of epoch 1 is malformed");
    assertThat(sent).allMatch(chunk -> chunk.refCnt() == 0);
  }

  @Test
  void shouldNotLetMalformedRecordsOfTheSynchronisationReachTheStandby() {
    ByteBuf truncated = Records.full(3, 3).writerIndex(RECORD_BYTES - 1);

    refuses(() -> receive(0, ChunkKind.PAGES, truncated), "chunk 0 of epoch 0 is malformed");
    assertThat(synchronised).isEmpty();
  }

  @Test
  void shouldRefuseARecordOfNoKind() {
    ByteBuf unknown = Records.zero(3, 1).setShort(4, 9);

    refuses(() -> receive(1, ChunkKind.PAGES, unknown), "chunk 0 of epoch 1 is malformed");
  }

  @Test
  void shouldSpillAnEpochThatIsLargerThanItsMemory() throws Exception {
    receiver.close();
    receiver = new EpochReceiver(directory, RECORD_BYTES, PAGES, List.of());
    assertThat(receive(1, ChunkKind.PAGES, Records.full(1, 1))).isZero();
    assertThat(receive(1, ChunkKind.PAGES, Records.full(2, 2))).isEqualTo(RECORD_BYTES);
    receive(1, ChunkKind.DEVICE_STATE, states.of("QEVM"));

    List<Integer> pages = new ArrayList<>();
    try (EpochStage stage = receiver.end(end(1))) {
      stage.drainTo(records -> pages.add(records.getInt(0)));
    }
    assertThat(pages).containsExactly(1, 2);
  }

  private long receive(long epoch, ChunkKind kind, ByteBuf data) throws Exception {
    Chunk chunk = chunk(epoch, tally.chunks(), kind, data);
    tally.add(chunk);
    return receiver.chunk(chunk, new Noted());
  }

  private Chunk chunk(long epoch, int index, ChunkKind kind, ByteBuf data) {
    Chunk chunk = Chunk.of(epoch, index, kind, data);
    sent.add(chunk);
    return chunk;
  }

  private EpochEnd end(long epoch) {
    EpochEnd end = tally.end(epoch, false);
    tally = new EpochTally();
    return end;
  }

  private static void refuses(ThrowingCallable action, String message) {
    assertThatThrownBy(action).isInstanceOf(ProtocolException.class).hasMessageContaining(message);
  }

  private final class Noted implements EpochReceiver.Target {
    @Override
    public void synchronise(ByteBuf pages) {
      synchronised.add(pages.getInt(0));
    }

    @Override
    public void disk(long epoch, ByteBuf records) {
      disk.add("epoch %d: %d bytes".formatted(epoch, records.readableBytes()));
    }
  }
}
