package io.remus.core.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.EncoderException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FrameRoundTripTest {

  @Test
  void shouldReadBackEveryFrame() {
    List<Frame> sent = Frames.oneOfEach();
    byte[] wire = Frames.encode(retained(sent));
    EmbeddedChannel channel = new EmbeddedChannel(new FrameDecoder(Limits.DEFAULT));

    channel.writeInbound(Unpooled.wrappedBuffer(wire));

    List<Frame> received = Frames.received(channel);
    assertThat(received).isEqualTo(sent);
    Frames.release(received);
    Frames.release(sent);
    assertThat(channel.finish()).isFalse();
  }

  @Test
  void shouldTryEveryFrameThereIs() {
    Set<Class<?>> tried = new HashSet<>();
    List<Frame> frames = Frames.oneOfEach();
    frames.forEach(frame -> tried.add(frame.getClass()));
    Frames.release(frames);

    assertThat(tried).containsExactlyInAnyOrder(Frame.class.getPermittedSubclasses());
    assertThat(FrameType.values()).hasSameSizeAs(tried);
  }

  @Test
  void shouldReadTheSameFramesWhereverTheStreamIsCut() {
    List<Frame> sent = Frames.oneOfEach();
    byte[] wire = Frames.encode(retained(sent));
    for (int cut = 1; cut < wire.length; cut++) {
      EmbeddedChannel channel = new EmbeddedChannel(new FrameDecoder(Limits.DEFAULT));
      channel.writeInbound(Unpooled.copiedBuffer(wire, 0, cut));
      channel.writeInbound(Unpooled.copiedBuffer(wire, cut, wire.length - cut));

      List<Frame> received = Frames.received(channel);
      assertThat(received).as("cut at byte %d", cut).isEqualTo(sent);
      Frames.release(received);
      channel.finish();
    }
    Frames.release(sent);
  }

  @Test
  void shouldReadAStreamThatComesByteByByte() {
    List<Frame> sent = Frames.oneOfEach();
    EmbeddedChannel channel = new EmbeddedChannel(new FrameDecoder(Limits.DEFAULT));

    for (byte b : Frames.encode(retained(sent))) {
      channel.writeInbound(Unpooled.wrappedBuffer(new byte[] {b}));
    }

    List<Frame> received = Frames.received(channel);
    assertThat(received).isEqualTo(sent);
    Frames.release(received);
    Frames.release(sent);
    channel.finish();
  }

  @Test
  void shouldSendTheDataOfAChunkWithoutCopyingIt() {
    Frame.Chunk chunk = Frames.chunk(1, 0, ChunkKind.PAGES, Limits.DEFAULT.chunkBytes());
    long address = chunk.data().memoryAddress();
    EmbeddedChannel channel = new EmbeddedChannel(new FrameEncoder(Limits.DEFAULT));

    channel.writeOutbound(chunk);

    next(channel).release(); // preface
    assertThat(next(channel).release()).isTrue(); // header
    ByteBuf data = next(channel);
    assertThat(data.memoryAddress()).isEqualTo(address);
    assertThat(data.refCnt()).isEqualTo(1);
    data.release();
    assertThat(chunk.refCnt()).isZero();
    channel.finish();
  }

  @Test
  void shouldHandOnAChunkThatSharesNoMemoryWithOthers() {
    byte[] wire =
        Frames.encode(
            List.of(
                Frames.chunk(1, 0, ChunkKind.PAGES, 100),
                Frames.chunk(1, 1, ChunkKind.DEVICE_STATE, 100)));
    EmbeddedChannel channel = new EmbeddedChannel(new FrameDecoder(Limits.DEFAULT));

    channel.writeInbound(Unpooled.wrappedBuffer(wire));

    List<Frame> received = Frames.received(channel);
    for (Frame frame : received) {
      Frame.Chunk chunk = (Frame.Chunk) frame;
      assertThat(chunk.refCnt()).isEqualTo(1);
      assertThat(chunk.data().isDirect()).isTrue();
      assertThat(chunk.data().capacity()).isEqualTo(100);
    }
    Frames.release(received);
    assertThat(received).allMatch(frame -> ((Frame.Chunk) frame).refCnt() == 0);
    channel.finish();
  }

  @Test
  void shouldNotSendWhatThePeerWouldRefuse() {
    Frame.Chunk chunk = Frames.chunk(1, 0, ChunkKind.PAGES, Limits.DEFAULT.chunkBytes() + 1);
    EmbeddedChannel channel = new EmbeddedChannel(new FrameEncoder(Limits.DEFAULT));
    channel.writeOutbound(new Frame.Credit(1));

    assertThatThrownBy(() -> channel.writeOutbound(chunk))
        .isInstanceOf(EncoderException.class)
        .hasMessageContaining("CHUNK of 262158 bytes, at most 262157 can be sent");
    assertThat(chunk.refCnt()).isZero();
    channel.finishAndReleaseAll();
  }

  @Test
  void shouldCutAndFlattenMessages() {
    assertThat(new Frame.Failed("line one\nline\ttwo").message()).isEqualTo("line one line two");
    assertThat(new Frame.Failed("ü".repeat(5000)).message()).hasSize(Limits.MESSAGE_BYTES / 2);
  }

  private static ByteBuf next(EmbeddedChannel channel) {
    return channel.readOutbound();
  }

  private static List<Frame> retained(List<Frame> frames) {
    List<Frame> copy = new ArrayList<>(frames);
    copy.replaceAll(frame -> frame instanceof Frame.Chunk chunk ? chunk.retain() : frame);
    return copy;
  }
}
