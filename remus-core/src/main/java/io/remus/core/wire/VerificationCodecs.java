package io.remus.core.wire;

import io.netty.buffer.ByteBuf;
import io.remus.core.wire.Frame.DiskHashes;
import io.remus.core.wire.Frame.Hashed;
import io.remus.core.wire.Frame.MemorySums;
import io.remus.core.wire.Frame.Unverified;
import io.remus.core.wire.Frame.Verify;
import io.remus.core.wire.Frame.VerifyEpoch;
import java.nio.ByteBuffer;
import java.util.List;

/** The frames that compare a standby with its primary. */
final class VerificationCodecs {

  static final List<FrameCodec<?>> ALL =
      List.of(
          new FrameCodec<>(
              FrameType.VERIFY,
              Verify.class,
              (frame, out) -> out.writeLong(frame.term()).writeLong(frame.disks()),
              in -> new Verify(in.readLong(), in.readLong())),
          new FrameCodec<>(
              FrameType.HASHED,
              Hashed.class,
              (frame, out) -> out.writeLong(frame.term()),
              in -> new Hashed(in.readLong())),
          new FrameCodec<>(
              FrameType.VERIFY_EPOCH,
              VerifyEpoch.class,
              (frame, out) -> out.writeLong(frame.epoch()),
              in -> new VerifyEpoch(in.readLong())),
          new FrameCodec<>(
              FrameType.MEMORY_SUMS,
              MemorySums.class,
              (frame, out) ->
                  out.writeLong(frame.epoch())
                      .writeLong(frame.first())
                      .writeBytes(frame.sums().duplicate()),
              VerificationCodecs::readMemorySums),
          new FrameCodec<>(
              FrameType.DISK_HASHES,
              DiskHashes.class,
              (frame, out) ->
                  ProtectionCodecs.writeBlockHashes(frame.blocks(), out.writeLong(frame.epoch())),
              in -> new DiskHashes(in.readLong(), ProtectionCodecs.readBlockHashes(in))),
          new FrameCodec<>(
              FrameType.UNVERIFIED,
              Unverified.class,
              (frame, out) -> Text.write(frame.message(), out),
              in -> new Unverified(Text.read(in))));

  private VerificationCodecs() {}

  private static MemorySums readMemorySums(ByteBuf in) {
    long epoch = in.readLong();
    long first = in.readLong();
    byte[] sums = new byte[in.readableBytes()];
    in.readBytes(sums);
    return new MemorySums(epoch, first, ByteBuffer.wrap(sums));
  }
}
