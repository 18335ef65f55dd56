package io.remus.core.wire;

import io.netty.buffer.ByteBuf;
import io.remus.core.wire.Frame.Claim;
import io.remus.core.wire.Frame.Input;
import io.remus.core.wire.Frame.Query;
import io.remus.core.wire.Frame.VmRecord;
import io.remus.core.wire.Frame.Yield;
import java.nio.ByteBuffer;
import java.util.List;

/** The frames that settle whose VM it is. */
final class OwnershipCodecs {

  static final List<FrameCodec<?>> ALL =
      List.of(
          new FrameCodec<>(
              FrameType.CLAIM,
              Claim.class,
              (frame, out) -> out.writeLong(frame.term()),
              in -> new Claim(in.readLong())),
          new FrameCodec<>(
              FrameType.YIELD,
              Yield.class,
              (frame, out) -> out.writeLong(frame.term()),
              in -> new Yield(in.readLong())),
          new FrameCodec<>(
              FrameType.INPUT,
              Input.class,
              (frame, out) -> out.writeByte(frame.nic()).writeBytes(frame.frame().duplicate()),
              OwnershipCodecs::readInput),
          new FrameCodec<>(
              FrameType.QUERY,
              Query.class,
              (frame, out) -> Text.write(frame.uuid(), out),
              in -> new Query(Text.read(in))),
          new FrameCodec<>(
              FrameType.RECORD,
              VmRecord.class,
              (frame, out) ->
                  out.writeLong(frame.term())
                      .writeByte(RoleNumber.of(frame.role()))
                      .writeLong(frame.epoch())
                      .writeLong(frame.committedAtMs()),
              in ->
                  new VmRecord(
                      in.readLong(),
                      RoleNumber.role(in.readUnsignedByte()),
                      in.readLong(),
                      in.readLong())));

  private OwnershipCodecs() {}

  private static Input readInput(ByteBuf in) {
    int nic = in.readUnsignedByte();
    byte[] frame = new byte[in.readableBytes()];
    in.readBytes(frame);
    return new Input(nic, ByteBuffer.wrap(frame));
  }
}
