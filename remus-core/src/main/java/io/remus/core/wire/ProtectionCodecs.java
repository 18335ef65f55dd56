package io.remus.core.wire;

import io.netty.buffer.ByteBuf;
import io.remus.core.wire.Frame.BlockHashes;
import io.remus.core.wire.Frame.Failed;
import io.remus.core.wire.Frame.Heartbeat;
import io.remus.core.wire.Frame.Prepare;
import io.remus.core.wire.Frame.Prepared;
import io.remus.core.wire.Frame.Stop;
import io.remus.core.wire.Frame.Stopped;
import java.nio.ByteBuffer;
import java.util.List;

/** The frames that begin, keep alive and end the protection of a VM. */
final class ProtectionCodecs {

  static final List<FrameCodec<?>> ALL =
      List.of(
          new FrameCodec<>(FrameType.PREPARE, Prepare.class, PrepareJson::write, PrepareJson::read),
          new FrameCodec<>(
              FrameType.PREPARED,
              Prepared.class,
              (frame, out) -> out.writeLong(frame.credit()),
              in -> new Prepared(in.readLong())),
          new FrameCodec<>(
              FrameType.BLOCK_HASHES,
              BlockHashes.class,
              ProtectionCodecs::writeBlockHashes,
              ProtectionCodecs::readBlockHashes),
          new FrameCodec<>(
              FrameType.HEARTBEAT,
              Heartbeat.class,
              (frame, out) ->
                  out.writeLong(frame.sequence())
                      .writeLong(frame.sentAtNs())
                      .writeLong(frame.echo()),
              in -> new Heartbeat(in.readLong(), in.readLong(), in.readLong())),
          new FrameCodec<>(
              FrameType.STOP,
              Stop.class,
              (frame, out) -> out.writeLong(frame.term()),
              in -> new Stop(in.readLong())),
          new FrameCodec<>(
              FrameType.STOPPED,
              Stopped.class,
              (frame, out) -> out.writeLong(frame.term()),
              in -> new Stopped(in.readLong())),
          new FrameCodec<>(
              FrameType.FAILED,
              Failed.class,
              (frame, out) -> Text.write(frame.message(), out),
              in -> new Failed(Text.read(in))));

  private ProtectionCodecs() {}

  static void writeBlockHashes(BlockHashes frame, ByteBuf out) {
    out.writeByte(frame.disk())
        .writeLong(frame.firstBlock())
        .writeBytes(frame.hashes().duplicate());
  }

  static BlockHashes readBlockHashes(ByteBuf in) {
    int disk = in.readUnsignedByte();
    long firstBlock = in.readLong();
    byte[] hashes = new byte[in.readableBytes()];
    in.readBytes(hashes);
    return new BlockHashes(disk, firstBlock, ByteBuffer.wrap(hashes));
  }
}
