package io.remus.core.wire;

import io.netty.buffer.ByteBuf;
import io.remus.core.wire.Frame.Ack;
import io.remus.core.wire.Frame.Credit;
import io.remus.core.wire.Frame.EpochEnd;
import java.util.List;

/** The frames of every epoch, but for CHUNK. */
final class EpochCodecs {
  private static final int RUNS = 1;
  private static final int HELD = 2;

  static final List<FrameCodec<?>> ALL =
      List.of(
          new FrameCodec<>(
              FrameType.EPOCH_END,
              EpochEnd.class,
              (frame, out) ->
                  out.writeLong(frame.epoch())
                      .writeInt(frame.chunks())
                      .writeLong(frame.bytes())
                      .writeInt(frame.total())
                      .writeByte(frame.held() ? HELD : RUNS),
              in ->
                  new EpochEnd(
                      in.readLong(), in.readInt(), in.readLong(), in.readInt(), readHeld(in))),
          new FrameCodec<>(
              FrameType.ACK,
              Ack.class,
              (frame, out) -> out.writeLong(frame.term()).writeLong(frame.epoch()),
              in -> new Ack(in.readLong(), in.readLong())),
          new FrameCodec<>(
              FrameType.CREDIT,
              Credit.class,
              (frame, out) -> out.writeLong(frame.bytes()),
              in -> new Credit(in.readLong())));

  private EpochCodecs() {}

  private static boolean readHeld(ByteBuf in) {
    int guest = in.readUnsignedByte();
    if (guest != RUNS && guest != HELD) {
      throw new ProtocolException("a guest is neither running nor held: " + guest);
    }
    return guest == HELD;
  }
}
