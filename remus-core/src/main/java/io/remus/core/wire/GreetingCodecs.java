package io.remus.core.wire;

import io.remus.core.wire.Frame.Hello;
import io.remus.core.wire.Frame.Refused;
import io.remus.core.wire.Frame.Welcome;
import java.util.List;

/**
 * The frames before a version is agreed. Their layout, like the preface and the header, never
 * changes.
 */
final class GreetingCodecs {

  static final List<FrameCodec<?>> ALL =
      List.of(
          new FrameCodec<>(
              FrameType.HELLO,
              Hello.class,
              (frame, out) -> {
                out.writeShort(frame.versions().lowest()).writeShort(frame.versions().highest());
                out.writeByte(frame.purpose().number());
                Text.write(frame.host(), out);
              },
              in ->
                  new Hello(
                      new Versions(in.readUnsignedShort(), in.readUnsignedShort()),
                      Purpose.of(in.readUnsignedByte()),
                      Text.read(in))),
          new FrameCodec<>(
              FrameType.WELCOME,
              Welcome.class,
              (frame, out) -> Text.write(frame.host(), out.writeShort(frame.version())),
              in -> new Welcome(in.readUnsignedShort(), Text.read(in))),
          new FrameCodec<>(
              FrameType.REFUSED,
              Refused.class,
              (frame, out) -> Text.write(frame.message(), out.writeShort(frame.code().number())),
              in -> new Refused(RefusalCode.of(in.readUnsignedShort()), Text.read(in))));

  private GreetingCodecs() {}
}
