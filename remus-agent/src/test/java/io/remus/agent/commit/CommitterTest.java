package io.remus.agent.commit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.remus.agent.nativeio.MemoryBlock;
import io.remus.agent.nativeio.OwnPages;
import io.remus.agent.nativeio.PackedStates;
import io.remus.agent.nativeio.Records;
import io.remus.agent.nativeio.StandbyMemory;
import io.remus.agent.receive.EpochReceiver;
import io.remus.agent.stage.EpochStage;
import io.remus.core.epoch.EpochId;
import io.remus.core.epoch.Term;
import io.remus.core.wire.ChunkKind;
import io.remus.core.wire.EpochTally;
import io.remus.core.wire.Frame;
import io.remus.core.wire.Frame.Chunk;
import io.remus.core.wire.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** All or nothing: what a standby's memory holds before and after a commit. */
class CommitterTest {
  private static final int PAGES = 16;
  private static final Term TERM = new Term(7);
  private static final int RECORD_BYTES = 8 + MemoryBlock.PAGE;

  @TempDir private Path directory;
  private final OwnPages standby = new OwnPages(PAGES);
  private StandbyMemory memory;
  private EpochReceiver receiver;
  private Committer committer;
  private EpochTally tally = new EpochTally();
  private PackedStates states;

  @BeforeEach
  void open() throws Exception {
    memory = new StandbyMemory(OwnPages.pid(), standby.blocks());
    states = new PackedStates();
    receiver = new EpochReceiver(directory, 1 << 20, PAGES, List.of());
    committer = new Committer(TERM, memory, null);
  }

  @AfterEach
  void close() throws Exception {
    receiver.close();
    states.close();
    memory.close();
  }

  @Test
  void shouldAckAWholeEpochUnderThePrimarysTerm() throws Exception {
    receive(1, ChunkKind.PAGES, Records.full(3, 33));
    receive(1, ChunkKind.DEVICE_STATE, states.of("QEVM one"));

    Frame.Ack ack = committer.commit(EpochId.FIRST, whole(1), false);

    assertThat(ack).isEqualTo(new Frame.Ack(7, 1));
    assertThat(committer.deviceState()).isEqualTo(StandardCharsets.US_ASCII.encode("QEVM one"));
    committer.apply();
  }

  @Test
  void shouldKnowWhetherTheGuestStoodStillInTheLastCommittedEpoch() throws Exception {
    boolean[] held = {false, true, false};
    for (int epoch = 1; epoch <= held.length; epoch++) {
      receive(epoch, ChunkKind.PAGES, Records.full(3, epoch));
      receive(epoch, ChunkKind.DEVICE_STATE, states.of("QEVM"));
      committer.commit(new EpochId(epoch), whole(epoch), held[epoch - 1]);
      assertThat(committer.held()).isEqualTo(held[epoch - 1]);
      committer.apply();
    }
  }

  @Test
  void shouldNotTouchTheStandbyBeforeTheEpochIsCommitted() throws Exception {
    receive(1, ChunkKind.PAGES, Records.full(3, 33));
    receive(1, ChunkKind.DEVICE_STATE, states.of("QEVM one"));
    EpochStage stage = whole(1);
    assertThat(standby.all()).containsOnly(0);

    committer.commit(EpochId.FIRST, stage, false);
    assertThat(committer.apply()).as("credit").isEqualTo(RECORD_BYTES);

    assertThat(standby.page(3)).containsOnly(33);
    assertThat(standby.page(2)).containsOnly(0);
    assertThat(standby.page(4)).containsOnly(0);
  }

  @Test
  void shouldKeepTheLastCommittedEpochWhenTheNextOneIsCutOff() throws Exception {
    receive(1, ChunkKind.PAGES, Records.full(3, 33));
    receive(1, ChunkKind.DEVICE_STATE, states.of("QEVM one"));
    committer.commit(EpochId.FIRST, whole(1), false);
    committer.apply();
    receive(2, ChunkKind.PAGES, Records.full(3, 99));
    receive(2, ChunkKind.DEVICE_STATE, states.of("QEVM two"));

    receiver.close();

    assertThat(standby.page(3)).containsOnly(33);
    assertThat(committer.deviceState()).isEqualTo(StandardCharsets.US_ASCII.encode("QEVM one"));
  }

  @Test
  void shouldHaveNothingToCommitOfAnEpochThatIsNotWhole() throws Exception {
    receive(1, ChunkKind.PAGES, Records.full(3, 33));

    assertThatThrownBy(() -> committer.commit(EpochId.FIRST, whole(1), false))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("epoch 1 has no device state");
    assertThat(standby.all()).containsOnly(0);
  }

  @Test
  void shouldMoveFromEpochToEpoch() throws Exception {
    for (int epoch = 1; epoch <= 5; epoch++) {
      receive(epoch, ChunkKind.PAGES, Records.full(3, epoch));
      receive(epoch, ChunkKind.PAGES, Records.full(epoch + 3, 1));
      receive(epoch, ChunkKind.PAGES, Records.zero(epoch + 2, 1));
      receive(epoch, ChunkKind.DEVICE_STATE, states.of("QEVM " + epoch));
      assertThat(committer.commit(new EpochId(epoch), whole(epoch), false).epoch())
          .isEqualTo(epoch);
      committer.apply();

      assertThat(standby.page(epoch + 3)).containsOnly(1);
      assertThat(standby.page(epoch + 2)).containsOnly(0);
      assertThat(committer.deviceState())
          .isEqualTo(StandardCharsets.US_ASCII.encode("QEVM " + epoch));
    }
  }

  @Test
  void shouldNotCommitAnEpochOverOneThatIsNotAppliedYet() throws Exception {
    receive(1, ChunkKind.DEVICE_STATE, states.of("QEVM one"));
    committer.commit(EpochId.FIRST, whole(1), false);
    receive(2, ChunkKind.DEVICE_STATE, states.of("QEVM two"));
    try (EpochStage second = whole(2)) {
      assertThatThrownBy(() -> committer.commit(new EpochId(2), second, false))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("the epoch before 2 is not applied yet");
    }
    assertThat(committer.deviceState()).isEqualTo(StandardCharsets.US_ASCII.encode("QEVM one"));
    committer.apply();
  }

  @Test
  void shouldLetNobodyMoveItsDeviceStateOn() throws Exception {
    receive(1, ChunkKind.DEVICE_STATE, states.of("QEVM one"));
    committer.commit(EpochId.FIRST, whole(1), false);

    assertThat(committer.deviceState()).isEqualTo(StandardCharsets.US_ASCII.encode("QEVM one"));
    assertThat(committer.deviceState()).isEqualTo(StandardCharsets.US_ASCII.encode("QEVM one"));
    committer.apply();
  }

  @Test
  void shouldWriteTheSynchronisationStraightIntoTheStandby() throws Exception {
    standby.fill(5, 5);
    receive(0, ChunkKind.PAGES, Records.full(4, 44));
    receive(0, ChunkKind.PAGES, Records.zero(5, 1));

    assertThat(standby.page(4)).containsOnly(44);
    assertThat(standby.page(5)).containsOnly(0);
  }

  private void receive(long epoch, ChunkKind kind, ByteBuf data) throws Exception {
    Chunk chunk = Chunk.of(epoch, tally.chunks(), kind, data);
    tally.add(chunk);
    receiver.chunk(chunk, committer);
  }

  private EpochStage whole(long epoch) {
    var end = tally.end(epoch, false);
    tally = new EpochTally();
    return receiver.end(end);
  }
}
