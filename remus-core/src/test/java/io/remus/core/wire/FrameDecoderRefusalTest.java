package io.remus.core.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FrameDecoderRefusalTest {

  @ParameterizedTest
  @ValueSource(strings = {"G", "GET / HTTP/1.1\r\n", "REMUX\r\n", "REMUS\r\n\1", "REMUS\n"})
  void shouldRefuseAStrangerAtTheFirstWrongByte(String bytes) {
    EmbeddedChannel channel = new EmbeddedChannel(new FrameDecoder(Limits.DEFAULT));

    assertThatThrownBy(
            () -> channel.writeInbound(Unpooled.copiedBuffer(bytes, StandardCharsets.US_ASCII)))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("does not speak");
    channel.finish();
  }

  @Test
  void shouldDetectEveryFlippedBitOfAHeader() {
    byte[] ack = frameBytes(new Frame.Ack(3, 7));
    for (int bit = 0; bit < FrameHeader.BYTES * 8; bit++) {
      byte[] damaged = flipped(ack, bit);
      assertThat(refusalOf(damaged)).as("bit %d", bit).hasMessageContaining("header is damaged");
    }
  }

  @Test
  void shouldDetectEveryFlippedBitOfAPayload() {
    for (Frame frame : Frames.oneOfEach()) {
      byte[] whole = frameBytes(frame);
      for (int bit = FrameHeader.BYTES * 8; bit < Math.min(whole.length, 300) * 8; bit++) {
        assertThat(refusalOf(flipped(whole, bit)))
            .as("%s, bit %d", frame, bit)
            .hasMessageContaining("is damaged");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 99, 255})
  void shouldRefuseAnUnknownType(int type) {
    assertThat(refusalOf(header(type << 24, 8))).hasMessage("no frame has type " + type);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 0x80, 0x0100, 0x8000, 0x010000, 0x800000})
  void shouldRefuseReservedBits(int bits) {
    assertThat(refusalOf(header(FrameType.ACK.number() << 24 | bits, 16)))
        .hasMessage("reserved bits are set in the header of ACK");
  }

  @ParameterizedTest
  @EnumSource(FrameType.class)
  void shouldRefuseALengthBeyondTheLimitBeforeTakingMemory(FrameType type) {
    int most = type.mostBytes(Limits.DEFAULT);
    UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);
    for (int length :
        new int[] {type.leastBytes() - 1, most + 1, Integer.MAX_VALUE, -1, Integer.MIN_VALUE}) {
      EmbeddedChannel channel = Frames.decoder();
      channel.config().setAllocator(allocator);
      ByteBuf wire = Unpooled.wrappedBuffer(header(type.number() << 24, length));

      assertThatThrownBy(() -> channel.writeInbound(wire))
          .isInstanceOf(ProtocolException.class)
          .hasMessageStartingWith(
              type + " of " + Integer.toUnsignedString(length) + " bytes, allowed are");
      assertThat(allocator.metric().usedDirectMemory()).isZero();
      channel.finish();
    }
  }

  @Test
  void shouldRefuseATextThatLeavesItsFrame() {
    byte[] failed =
        frame(
            FrameType.FAILED, ByteBuffer.allocate(4).putShort((short) 3).putShort((short) 0x4141));
    assertThat(refusalOf(failed)).hasMessage("FAILED ends within a field");
  }

  @Test
  void shouldRefuseBytesBehindTheLastField() {
    byte[] failed =
        frame(
            FrameType.FAILED, ByteBuffer.allocate(4).putShort((short) 1).putShort((short) 0x4141));
    assertThat(refusalOf(failed)).hasMessage("FAILED has 1 bytes too many");
  }

  @Test
  void shouldRefuseATextThatIsNotUtf8() {
    byte[] failed =
        frame(
            FrameType.FAILED, ByteBuffer.allocate(4).putShort((short) 2).putShort((short) 0xC0AF));
    assertThat(refusalOf(failed)).hasMessage("a text is not UTF-8");
  }

  @Test
  void shouldRefuseValuesAFrameCannotHave() {
    assertThat(refusalOf(frame(FrameType.ACK, ByteBuffer.allocate(16).putLong(0).putLong(1))))
        .hasMessage("ACK: term is at least 1, not 0");
    assertThat(refusalOf(frame(FrameType.CREDIT, ByteBuffer.allocate(8).putLong(-1))))
        .hasMessage("CREDIT: credit is at least 1, not -1");
    assertThat(
            refusalOf(
                frame(
                    FrameType.EPOCH_END,
                    ByteBuffer.allocate(25).putLong(1).putInt(1).putLong(1).putInt(0))))
        .hasMessage("a guest is neither running nor held: 0");
    assertThat(refusalOf(frame(FrameType.RECORD, ByteBuffer.allocate(25).putLong(1).put((byte) 0))))
        .hasMessage("no host is in role 0");
    assertThat(
            refusalOf(
                frame(FrameType.CHUNK, ByteBuffer.allocate(14).putLong(1).putInt(0).put((byte) 9))))
        .hasMessage("no chunk is of kind 9");
    assertThat(
            refusalOf(
                frame(
                    FrameType.CHUNK, ByteBuffer.allocate(14).putLong(1).putInt(-1).put((byte) 1))))
        .hasMessage("CHUNK: index of a chunk is at least 0, not -1");
  }

  @Test
  void shouldReportTheFirstErrorAndForgetTheRest() {
    EmbeddedChannel channel = Frames.decoder();
    byte[] good = frameBytes(new Frame.Ack(3, 7));
    ByteBuf wire = Unpooled.wrappedBuffer(good, header(0, 1), good);

    assertThatThrownBy(() -> channel.writeInbound(wire)).isInstanceOf(ProtocolException.class);
    assertThat(channel.writeInbound(Unpooled.wrappedBuffer(good))).isTrue();

    assertThat(Frames.received(channel)).containsExactly(new Frame.Ack(3, 7));
    assertThat(wire.refCnt()).isZero();
    channel.finish();
  }

  @Test
  void shouldReleaseAPayloadThatNeverCompletes() {
    byte[] chunk = frameBytes(Frames.chunk(1, 0, ChunkKind.PAGES, 10_000));
    UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);
    EmbeddedChannel channel = Frames.decoder();
    channel.config().setAllocator(allocator);

    channel.writeInbound(Unpooled.copiedBuffer(chunk, 0, chunk.length - 1));
    assertThat(allocator.metric().usedDirectMemory()).isEqualTo(10_000);
    channel.finish();

    assertThat(allocator.metric().usedDirectMemory()).isZero();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 5, 8, 13, 21, 34})
  void shouldSurviveGarbage(long seed) {
    Random random = new Random(seed);
    for (int run = 0; run < 500; run++) {
      byte[] garbage = new byte[1 + random.nextInt(200)];
      random.nextBytes(garbage);
      Throwable refusal = refusalOf(garbage);
      if (refusal != null) {
        assertThat(refusal).isInstanceOf(ProtocolException.class);
      }
    }
  }

  /** The checksums are right here: what is fuzzed is the reading of payloads. */
  @ParameterizedTest
  @EnumSource(FrameType.class)
  void shouldSurviveWellWrappedGarbage(FrameType type) {
    Random random = new Random(type.number());
    int most = Math.min(type.mostBytes(Limits.DEFAULT), type.leastBytes() + 100);
    for (int run = 0; run < 500; run++) {
      byte[] payload = new byte[type.leastBytes() + random.nextInt(most - type.leastBytes() + 1)];
      random.nextBytes(payload);
      Throwable refusal = refusalOf(frame(type, ByteBuffer.wrap(payload)));
      if (refusal != null) {
        assertThat(refusal).isInstanceOf(ProtocolException.class);
      }
    }
  }

  /** What a decoder past the preface says to these bytes, {@code null} when it has no objection. */
  private static Throwable refusalOf(byte[] wire) {
    EmbeddedChannel channel = Frames.decoder();
    Throwable refusal = catchThrowable(() -> channel.writeInbound(Unpooled.wrappedBuffer(wire)));
    channel.finishAndReleaseAll();
    return refusal;
  }

  private static byte[] frameBytes(Frame frame) {
    byte[] wire = Frames.encode(List.of(frame));
    return Arrays.copyOfRange(wire, Preface.BYTES, wire.length);
  }

  private static byte[] header(int first, int length) {
    ByteBuffer header =
        ByteBuffer.allocate(FrameHeader.BYTES).putInt(first).putInt(length).putInt(0);
    return header.putInt(Crc.of(header.duplicate().flip())).array();
  }

  private static byte[] frame(FrameType type, ByteBuffer payload) {
    payload.clear();
    ByteBuffer frame = ByteBuffer.allocate(FrameHeader.BYTES + payload.capacity());
    new FrameHeader(type, payload.capacity(), Crc.of(payload.duplicate())).write(frame);
    return frame.put(payload).array();
  }

  private static byte[] flipped(byte[] bytes, int bit) {
    byte[] copy = bytes.clone();
    copy[bit / 8] ^= (byte) (0x80 >>> bit % 8);
    return copy;
  }
}
