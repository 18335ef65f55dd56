package io.remus.core.wire;

import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Every codec, by type and by class of frame. CHUNK is missing: its data is never copied into a
 * payload.
 */
final class FrameCodecs {

  private static final Map<FrameType, FrameCodec<?>> BY_TYPE = new EnumMap<>(FrameType.class);
  private static final Map<Class<?>, FrameCodec<?>> BY_FRAME = new HashMap<>();

  static {
    Stream.of(
            GreetingCodecs.ALL,
            ProtectionCodecs.ALL,
            EpochCodecs.ALL,
            OwnershipCodecs.ALL,
            VerificationCodecs.ALL)
        .flatMap(List::stream)
        .forEach(
            codec -> {
              BY_TYPE.put(codec.type(), codec);
              BY_FRAME.put(codec.frame(), codec);
            });
  }

  private FrameCodecs() {}

  static FrameCodec<?> of(FrameType type) {
    return BY_TYPE.get(type);
  }

  static FrameCodec<?> of(Frame frame) {
    return BY_FRAME.get(frame.getClass());
  }
}
