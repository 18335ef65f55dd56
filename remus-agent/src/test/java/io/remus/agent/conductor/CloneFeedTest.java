package io.remus.agent.conductor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remus.agent.commit.Committer;
import io.remus.agent.commit.MemoryCopy;
import io.remus.agent.drill.DrillException;
import io.remus.agent.drill.Original.Moment;
import io.remus.agent.nativeio.OwnPages;
import io.remus.agent.nativeio.Records;
import io.remus.agent.nativeio.StandbyMemory;
import io.remus.agent.stage.EpochStage;
import io.remus.core.epoch.EpochId;
import io.remus.core.epoch.Term;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A clone gets to where its standby is, while epochs go on. */
@Timeout(120)
class CloneFeedTest {
  /** Some slices. */
  private static final int PAGES = 5_000;

  @TempDir private Path directory;
  private final OwnPages standby = new OwnPages(PAGES);
  private final OwnPages clone = new OwnPages(PAGES);
  private final Lane lane = new Lane("ledger");
  private final AtomicLong epoch = new AtomicLong();
  private StandbyMemory standbyMemory;
  private StandbyMemory cloneMemory;
  private Committer committer;
  private CloneFeed feed;

  @BeforeEach
  void open() throws Exception {
    standbyMemory = new StandbyMemory(OwnPages.pid(), standby.blocks());
    cloneMemory = new StandbyMemory(OwnPages.pid(), clone.blocks());
    committer = new Committer(new Term(7), standbyMemory, null);
    feed =
        new CloneFeed(
            lane, null, null, committer, new StandbyReplica(null, null, "hv1", false), epoch::get);
    for (int page = 0; page < PAGES; page += 3) {
      standby.fill(page, page);
    }
    onLane(() -> runEpoch(1));
  }

  @AfterEach
  void close() throws Exception {
    lane.close();
    standbyMemory.close();
    cloneMemory.close();
  }

  @Test
  void shouldBeTheStandbyAtAnEpochsBoundary() throws Exception {
    CompletableFuture<Moment> fed = feed.feed(copy(), null);
    while (!fed.isDone()) {
      onLane(
          () -> {
            if (!fed.isDone()) {
              runEpoch((int) epoch.get() + 1);
            }
          });
    }

    Moment moment = fed.get();

    assertThat(clone.all()).isEqualTo(standby.all());
    assertThat(moment.epoch()).isEqualTo(epoch.get());
    assertThat(moment.deviceState()).isEqualTo(text("QEVM " + epoch.get()));
  }

  @Test
  void shouldChangeNoMoreOnceItIsThere() throws Exception {
    feed.feed(copy(), null).get(60, TimeUnit.SECONDS);
    byte[] before = clone.all();

    onLane(() -> runEpoch(2));

    assertThat(clone.all()).isEqualTo(before).isNotEqualTo(standby.all());
  }

  @Test
  void shouldLetTheStandbyGoOnWhenItIsStopped() throws Exception {
    CompletableFuture<Moment> fed = feed.feed(copy(), null);
    feed.stopFeeding("VM ledger is being taken over");

    assertThatThrownBy(() -> fed.get(60, TimeUnit.SECONDS))
        .hasCauseInstanceOf(DrillException.class)
        .hasMessageContaining("is being taken over");
    cloneMemory.close();
    onLane(() -> runEpoch(2));
    assertThat(standby.page(9)).containsOnly(2);
  }

  @Test
  void shouldFailWithoutHarmWhenTheCloneIsGone() throws Exception {
    cloneMemory.close();
    assertThatThrownBy(() -> feed.feed(copy(), null).get(60, TimeUnit.SECONDS))
        .hasMessageContaining("StandbyMemory is closed");

    onLane(() -> runEpoch(2));
    assertThat(standby.page(9)).containsOnly(2);
  }

  @Test
  void shouldRefuseWhenTheLaneIsClosed() {
    lane.close();

    assertThatThrownBy(() -> feed.feed(copy(), null).get(60, TimeUnit.SECONDS))
        .hasMessageContaining("the standby is gone");
  }

  private MemoryCopy copy() {
    return new MemoryCopy(cloneMemory, clone.blocks());
  }

  /** Writes page 9, patches some others and ends with a state of its own. */
  private void runEpoch(int number) throws Exception {
    EpochStage stage = new EpochStage(directory, 1 << 20);
    stage.pages(Records.full(9, number));
    stage.pages(Records.full(1 + number * 37 % (PAGES - 1), number));
    stage.pages(Records.zero(number * 91 % (PAGES - 10) + 10, 1));
    stage.deviceState(text("QEVM " + number));
    committer.commit(new EpochId(number), stage, false);
    epoch.set(number);
    committer.apply();
  }

  private interface Work {
    void run() throws Exception;
  }

  private void onLane(Work work) throws Exception {
    CompletableFuture<Void> done = new CompletableFuture<>();
    lane.execute(
        () -> {
          try {
            work.run();
            done.complete(null);
          } catch (Exception e) {
            done.completeExceptionally(e);
          }
        });
    done.get(60, TimeUnit.SECONDS);
  }

  private static ByteBuffer text(String text) {
    return StandardCharsets.US_ASCII.encode(text);
  }
}
