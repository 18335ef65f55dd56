package io.remus.agent.disk.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NbdRequestDecoderTest {
  private static final long DISK = 1 << 20;
  private static final int MOST = 256 << 10;

  private final InFlight inFlight = new InFlight(4, MOST);
  private final Export export = new HeldExport(DISK);
  private final NbdRequestDecoder decoder =
      new NbdRequestDecoder(new NbdRequestCheck(export, MOST, true, false), inFlight);
  private final EmbeddedChannel channel = new EmbeddedChannel(decoder);

  @Test
  void shouldReadTheSameHoweverTheBytesAreCut() {
    byte[] stream = concat(write(1, 512, "first"), trim(2), write(3, 99, "third"));
    for (int cut = 0; cut <= stream.length; cut++) {
      EmbeddedChannel cutChannel =
          new EmbeddedChannel(
              new NbdRequestDecoder(
                  new NbdRequestCheck(export, MOST, true, false), new InFlight(8, MOST)));
      ByteBuf head = Unpooled.buffer(1).writeBytes(stream, 0, cut);
      ByteBuf tail = Unpooled.buffer(1).writeBytes(stream, cut, stream.length - cut);

      cutChannel.writeInbound(head, tail);

      assertThat(drain(cutChannel))
          .as("cut at byte " + cut)
          .containsExactly("1 at 512: first", "2 at 4096", "3 at 99: third");
      assertThat(head.refCnt() + tail.refCnt()).isZero();
      cutChannel.finishAndReleaseAll();
    }
  }

  @Test
  void shouldReadBytesThatComeOneByOne() {
    for (byte one : concat(write(1, 0, "first"), write(2, 8, "second"))) {
      channel.writeInbound(Unpooled.copiedBuffer(new byte[] {one}));
    }

    assertThat(drain(channel)).containsExactly("1 at 0: first", "2 at 8: second");
  }

  @Test
  void shouldGiveDataInOneBufferOfTheirSize() {
    channel.writeInbound(Unpooled.wrappedBuffer(concat(write(1, 0, "first"), trim(2))));

    NbdRequest request = channel.readInbound();

    assertThat(request.data().capacity()).isEqualTo(5);
    assertThat(request.data().isDirect()).isTrue();
    assertThat(request.data().refCnt()).isOne();
    request.data().release();
  }

  @Test
  void shouldGiveUpOnGarbageAndLetGoOfAllBytes() {
    ByteBuf garbage = Unpooled.wrappedBuffer(new byte[100]);

    assertThatThrownBy(() -> channel.writeInbound(garbage))
        .isInstanceOf(NbdException.class)
        .hasMessageContaining("begins with 00000000");

    ByteBuf more = Unpooled.wrappedBuffer(trim(1));
    channel.writeInbound(more);
    assertThat(channel.<NbdRequest>readInbound()).isNull();
    assertThat(garbage.refCnt() + more.refCnt()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "WRITE past the end,             1, 0, 1048575,  2,          ENOSPC",
    "WRITE beyond 2^63,              1, 0, -1,       2,          ENOSPC",
    "WRITE whose end wraps around,   1, 0, 0x7fffffffffffffff, 2, ENOSPC",
    "WRITE of nothing,               1, 0, 0,        0,          EINVAL",
    "WRITE with an unknown flag,     1, 0x80, 0,     2,          EINVAL",
    "WRITE of too much,              1, 0, 0,        262145,     EINVAL",
    "zeroes past the end,            6, 0, 1048576,  1,          ENOSPC",
    "zeroes in a hurry,              6, 0x10, 0,     1,          EINVAL",
    "zeroes of 4 GiB less one,       6, 0, 0,        -1,         EINVAL",
    "TRIM past the end,              4, 0, 1048576,  1,          EINVAL",
    "READ of what is write-only,     0, 0, 0,        1,          EPERM",
    "BLOCK_STATUS of the same,       7, 0, 0,        1,          EPERM",
    "FLUSH of a range,               3, 0, 0,        1,          EINVAL",
    "CACHE is not had here,          5, 0, 0,        1,          EINVAL",
    "what nobody knows,              4711, 0, 0,     1,          EINVAL",
  })
  void shouldRefuseWithoutTakingMemoryAndGoOn(
      String what, int type, String flags, String offset, int length, NbdError error) {
    long at = Long.decode(offset);
    channel.writeInbound(
        Unpooled.wrappedBuffer(RawClient.requestBytes(type, Integer.decode(flags), 7, at, length)));
    if (type == NbdRequest.WRITE) {
      channel.writeInbound(Unpooled.wrappedBuffer(new byte[length]));
    }
    channel.writeInbound(Unpooled.wrappedBuffer(trim(8)));

    NbdRequest refused = channel.readInbound();
    assertThat(refused.refusal()).as(what).isEqualTo(error);
    assertThat(refused.cookie()).isEqualTo(7);
    assertThat(refused.data()).isNull();
    assertThat(refused.memory()).isZero();
    assertThat(drain(channel)).containsExactly("8 at 4096");
  }

  @Test
  void shouldTakeTheLastByteAndTheLargestWrite() {
    channel.writeInbound(Unpooled.wrappedBuffer(write(1, DISK - 1, "x")));
    byte[] large = new byte[MOST - 1];
    channel.writeInbound(
        Unpooled.wrappedBuffer(RawClient.requestBytes(NbdRequest.WRITE, 0, 2, 1, large.length)),
        Unpooled.wrappedBuffer(large));

    NbdRequest last = channel.readInbound();
    NbdRequest largest = channel.readInbound();

    assertThat(last.refusal()).isNull();
    assertThat(largest.data().readableBytes()).isEqualTo(MOST - 1);
    last.data().release();
    largest.data().release();
  }

  @Test
  void shouldStopReadingWhenTooManyRequestsAreInFlight() {
    channel.writeInbound(
        Unpooled.wrappedBuffer(concat(trim(1), trim(2), trim(3), trim(4), trim(5), trim(6))));

    assertThat(drain(channel)).hasSize(4);
    assertThat(channel.config().isAutoRead()).isFalse();

    inFlight.leave(0);
    decoder.resume();
    assertThat(drain(channel)).containsExactly("5 at 4096");
    assertThat(channel.config().isAutoRead()).isFalse();

    inFlight.leave(0);
    decoder.resume();
    assertThat(drain(channel)).containsExactly("6 at 4096");
    assertThat(channel.config().isAutoRead()).isTrue();
  }

  @Test
  void shouldTakeNoMemoryForAWriteThatHasNoRoom() {
    ByteBuffer half = RawClient.requestBytes(NbdRequest.WRITE, 0, 1, 0, MOST / 2 + 1);
    channel.writeInbound(
        Unpooled.copiedBuffer(half), Unpooled.wrappedBuffer(new byte[MOST / 2 + 1]));
    ByteBuf second = Unpooled.copiedBuffer(half);
    ByteBuf secondsData = Unpooled.wrappedBuffer(new byte[MOST / 2 + 1]);

    channel.writeInbound(second, secondsData);

    NbdRequest first = channel.readInbound();
    assertThat(channel.<NbdRequest>readInbound()).isNull();
    assertThat(channel.config().isAutoRead()).isFalse();
    assertThat(secondsData.readableBytes()).isEqualTo(MOST / 2 + 1);

    first.data().release();
    inFlight.leave(first.memory());
    decoder.resume();
    assertThat(drain(channel)).hasSize(1);
    assertThat(secondsData.refCnt()).isZero();
  }

  @Test
  void shouldLetGoOfHalfAWriteWhenTheClientGoes() {
    ByteBuf head = Unpooled.wrappedBuffer(RawClient.requestBytes(NbdRequest.WRITE, 0, 1, 0, 100));
    channel.writeInbound(head, Unpooled.wrappedBuffer(new byte[50]));

    channel.close(); // the leak detector sees the rest

    assertThat(channel.<NbdRequest>readInbound()).isNull();
  }

  @Test
  void shouldNotReadBehindADisconnect() {
    byte[] leave =
        ByteBufUtil.getBytes(
            Unpooled.wrappedBuffer(RawClient.requestBytes(NbdRequest.DISC, 0, 1, 0, 0)));
    channel.writeInbound(Unpooled.wrappedBuffer(concat(leave, trim(2))));

    assertThat(drain(channel)).containsExactly("1 at 0");
  }

  private static List<String> drain(EmbeddedChannel from) {
    List<String> all = new ArrayList<>();
    for (NbdRequest request = from.readInbound(); request != null; request = from.readInbound()) {
      String text = request.cookie() + " at " + request.offset();
      if (request.data() != null) {
        assertThat(request.data().refCnt()).isOne();
        text += ": " + request.data().toString(StandardCharsets.UTF_8);
        request.data().release();
      }
      all.add(text);
    }
    return all;
  }

  private static byte[] write(long cookie, long offset, String text) {
    byte[] data = text.getBytes(StandardCharsets.UTF_8);
    byte[] head = RawClient.requestBytes(NbdRequest.WRITE, 0, cookie, offset, data.length).array();
    return concat(head, data);
  }

  private static byte[] trim(long cookie) {
    return RawClient.requestBytes(NbdRequest.TRIM, 0, cookie, 4096, 4096).array();
  }

  private static byte[] concat(byte[]... parts) {
    ByteBuf all = Unpooled.wrappedBuffer(parts);
    return ByteBufUtil.getBytes(all);
  }
}
