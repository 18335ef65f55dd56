package io.remus.agent.disk;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WriteLogTest {
  private static final int ENTRY = 64;
  private static final int BOUND = 100 + ENTRY;

  private final WriteLog log = new WriteLog(BOUND);
  private final AtomicInteger answered = new AtomicInteger();
  private final List<ByteBuf> given = new ArrayList<>();

  @AfterEach
  void shouldHaveReleasedEveryWrite() {
    log.close();
    assertThat(given).allMatch(data -> data.refCnt() == 0);
  }

  @Test
  void shouldGiveWritesInTheOrderTheyCameAndNoneOfALaterEpoch() throws IOException {
    write(0, 10, 1, 2);
    log.zero(1, 20, 5, answered::incrementAndGet);
    write(0, 11, 3);

    assertThat(chunk(2, 1000)).containsExactly("write 0 10 0102", "zero 1 20 5");
    assertThat(chunk(2, 1000)).isEmpty();
    assertThat(chunk(WriteLog.ALL, 1000)).containsExactly("write 0 11 03");
    assertThat(answered).hasValue(3);
  }

  @Test
  void shouldCutAWriteThatIsLargerThanAChunk() throws IOException {
    write(0, 100, 1, 2, 3, 4, 5);

    assertThat(chunk(WriteLog.ALL, 18)).containsExactly("write 0 100 0102");
    assertThat(chunk(WriteLog.ALL, 18)).containsExactly("write 0 102 0304");
    assertThat(chunk(WriteLog.ALL, 18)).containsExactly("write 0 104 05");
    assertThat(log.waitingBytes()).isZero();
  }

  @Test
  void shouldCutARangeOfZeroesThatIsLongerThanARecordCanSay() throws IOException {
    long tebibyte = 1L << 40;
    log.zero(0, 0, tebibyte, answered::incrementAndGet);

    long zeroed = 0;
    for (String record : chunk(WriteLog.ALL, 128 * 1024)) {
      assertThat(record).startsWith("zero 0 " + zeroed + " ");
      zeroed += Long.parseLong(record.substring(record.lastIndexOf(' ') + 1));
    }
    assertThat(zeroed).isEqualTo(tebibyte);
  }

  @Test
  void shouldKeepWritesWaitingOverTheBoundUntilWhatIsBeforeThemIsSent() throws IOException {
    write(0, 0, new byte[100]);
    assertThat(answered).hasValue(1);
    write(0, 0, new byte[1]);
    write(0, 0, new byte[1]);
    assertThat(answered).hasValue(1);

    chunk(1, 1000);

    assertThat(answered).hasValue(3);
  }

  @Test
  void shouldKeepNobodyWaitingWhileTheGuestIsBeingStopped() {
    write(0, 0, new byte[100]);
    write(0, 0, new byte[1]);
    assertThat(answered).hasValue(1);

    log.guestStops();
    assertThat(answered).as("who waited").hasValue(2);
    write(0, 0, new byte[1]);
    assertThat(answered).as("who comes meanwhile").hasValue(3);

    log.guestStopped();
    write(0, 0, new byte[1]);
    assertThat(answered).as("who comes later").hasValue(3);
  }

  @Test
  void shouldAnswerEveryWriteOnceNobodySendsThemAnyMore() throws IOException {
    write(0, 0, new byte[BOUND]);
    write(0, 0, new byte[1]);

    log.close();
    write(0, 0, new byte[BOUND]);

    assertThat(answered).hasValue(3);
    assertThat(chunk(WriteLog.ALL, 1000)).isEmpty();
  }

  @Test
  void shouldGiveUpOnAGuestThatWritesOnAndOnInsteadOfStopping() {
    log.guestStops();
    for (int i = 0; i < 4; i++) {
      write(0, 0, new byte[BOUND]);
    }

    assertThat(log.isClosed()).isTrue();
    assertThat(log.waitingBytes()).isZero();
    assertThat(answered).as("nobody waits").hasValue(4);
  }

  @Test
  void shouldEndWithWhatWasWrittenByNow() throws IOException {
    write(0, 0, 1);
    long newest = log.newest();
    write(0, 1, 2);

    assertThat(chunk(newest, 1000)).containsExactly("write 0 0 01");
    assertThat(chunk(newest, 1000)).isEmpty();
  }

  @Test
  void shouldWakeTheSenderForEachWrite() {
    AtomicInteger woken = new AtomicInteger();
    log.onWork(woken::incrementAndGet);

    write(0, 0, 1);
    log.zero(0, 0, 1, answered::incrementAndGet);

    assertThat(woken).hasValue(2);
  }

  private void write(int disk, long offset, int... bytes) {
    byte[] data = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      data[i] = (byte) bytes[i];
    }
    write(disk, offset, data);
  }

  private void write(int disk, long offset, byte[] bytes) {
    ByteBuf data = Unpooled.copiedBuffer(bytes);
    given.add(data);
    log.write(disk, offset, data, answered::incrementAndGet);
  }

  private List<String> chunk(long upTo, int room) throws IOException {
    ByteBuf chunk = Unpooled.buffer(room, room);
    boolean more = log.next(upTo, chunk);
    List<String> records = Records.in(chunk);
    assertThat(more).isEqualTo(!records.isEmpty());
    return records;
  }
}
