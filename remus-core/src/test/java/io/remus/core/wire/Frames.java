package io.remus.core.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.ReferenceCountUtil;
import io.remus.core.control.DiskDurability;
import io.remus.core.failover.Role;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Frames to test with, and what they are on the wire. */
final class Frames {

  static final String UUID = "0e7a5a5e-6c1b-4d53-9f5c-0a4a3c6a1d11";

  private Frames() {}

  static Frame.Prepare prepare() {
    return new Frame.Prepare(
        "ledger",
        UUID,
        3,
        "<domain type='kvm'><name>ledger</name></domain>",
        null,
        "pc-i440fx-7.2",
        "7.2.15",
        List.of(new RamBlock("pc.ram", 512L << 20), new RamBlock("vga.vram", 16L << 20)),
        List.of(new DiskImage("vda", 10L << 30)),
        DiskDurability.JOURNAL,
        25,
        200,
        300,
        List.of("hv3"));
  }

  static Frame.Chunk chunk(long epoch, int index, ChunkKind kind, int bytes) {
    byte[] data = new byte[bytes];
    new Random(epoch * 1_000_003 + index).nextBytes(data);
    return Frame.Chunk.of(
        epoch, index, kind, UnpooledByteBufAllocator.DEFAULT.directBuffer(bytes).writeBytes(data));
  }

  /** One of each; the chunk is the caller's to release. */
  static List<Frame> oneOfEach() {
    return List.of(
        new Frame.Hello(new Versions(1, 3), Purpose.REPLICATE, "hv1"),
        new Frame.Welcome(2, "hv2.example"),
        new Frame.Refused(RefusalCode.NO_MEMORY, "VM ledger needs 544 MiB, hv2 has 100 MiB free"),
        prepare(),
        new Frame.BlockHashes(1, 4096, ByteBuffer.wrap(new byte[48])),
        new Frame.Input(1, ByteBuffer.wrap(new byte[Frame.Input.LEAST])),
        new Frame.Prepared(64 << 20),
        chunk(7, 2, ChunkKind.PAGES, 600),
        new Frame.EpochEnd(7, 3, 12_000, 0xCAFEBABE, true),
        new Frame.Ack(3, 7),
        new Frame.Credit(12_000),
        new Frame.Heartbeat(41, -5, 1_000_000_007),
        new Frame.Stop(3),
        new Frame.Stopped(3),
        new Frame.Claim(4),
        new Frame.Yield(4),
        new Frame.Failed("the disk of VM ledger is full – über"),
        new Frame.Verify(3, 5),
        new Frame.Hashed(3),
        new Frame.VerifyEpoch(7),
        new Frame.MemorySums(7, 4096, ByteBuffer.wrap(new byte[24])),
        new Frame.DiskHashes(7, new Frame.BlockHashes(1, 4096, ByteBuffer.wrap(new byte[48]))),
        new Frame.Unverified("the standby of VM ledger cannot be read"),
        new Frame.Query(UUID),
        new Frame.VmRecord(3, Role.STANDBY, 12, 1_700_000_000_000L));
  }

  /**
   * What an encoder writes for these frames, the preface first, in one buffer. Takes the frames
   * over.
   */
  static byte[] encode(List<Frame> frames) {
    EmbeddedChannel channel = new EmbeddedChannel(new FrameEncoder(Limits.DEFAULT));
    channel.writeOutbound(frames.toArray());
    ByteBuf all = Unpooled.buffer();
    for (ByteBuf part = channel.readOutbound(); part != null; part = channel.readOutbound()) {
      all.writeBytes(part);
      part.release();
    }
    channel.finishAndReleaseAll();
    byte[] bytes = new byte[all.readableBytes()];
    all.readBytes(bytes);
    return bytes;
  }

  /** A channel that reads frames and is past the preface. */
  static EmbeddedChannel decoder() {
    EmbeddedChannel channel = new EmbeddedChannel(new FrameDecoder(Limits.DEFAULT));
    channel.writeInbound(Unpooled.wrappedBuffer(Preface.bytes()));
    return channel;
  }

  /** The caller releases them. */
  static List<Frame> received(EmbeddedChannel channel) {
    List<Frame> frames = new ArrayList<>();
    for (Frame frame = channel.readInbound(); frame != null; frame = channel.readInbound()) {
      frames.add(frame);
    }
    return frames;
  }

  static void release(List<Frame> frames) {
    frames.forEach(ReferenceCountUtil::release);
  }
}
