package io.remus.core.wire;

import io.remus.core.wire.Frame.Chunk;
import io.remus.core.wire.Frame.EpochEnd;

/**
 * Checks that what arrives on one connection adds up to whole epochs: first the chunks of the
 * initial synchronisation (epoch 0), then epochs 1, 2, 3 and so on, each with its chunks in order,
 * its device state and an {@link EpochEnd} that agrees. It looks at frames and holds none of them.
 */
public final class EpochAssembly {

  private long epoch;
  private EpochTally tally = new EpochTally();
  private boolean deviceState;

  /**
   * The next chunk has arrived.
   *
   * @throws ProtocolException when it is not the next one
   */
  public void add(Chunk chunk) {
    if (epoch == 0 && chunk.epoch() == 1) {
      begin(1);
    }
    if (chunk.epoch() != epoch) {
      throw new ProtocolException(
          "a chunk of epoch %d came in epoch %d".formatted(chunk.epoch(), epoch));
    }
    if (chunk.index() != tally.chunks()) {
      throw new ProtocolException(
          "chunk %d of epoch %d came in place of chunk %d"
              .formatted(chunk.index(), epoch, tally.chunks()));
    }
    if (chunk.kind() == ChunkKind.DEVICE_STATE) {
      if (epoch == 0) {
        throw new ProtocolException("device state came during the initial synchronisation");
      }
      deviceState = true;
    }
    tally.add(chunk);
  }

  /**
   * The epoch's end has arrived, and with it the epoch is whole.
   *
   * @throws ProtocolException when anything of it is missing or was damaged
   */
  public void end(EpochEnd end) {
    if (end.epoch() != epoch) {
      throw new ProtocolException(
          "the end of epoch %d came in epoch %d".formatted(end.epoch(), epoch));
    }
    if (!deviceState) {
      throw new ProtocolException("epoch %d has no device state".formatted(epoch));
    }
    EpochEnd counted = tally.end(epoch, end.held());
    if (!counted.equals(end)) {
      throw new ProtocolException(
          "epoch %d does not add up: announced are %d chunks and %d bytes, received %d chunks and %d bytes, or its checksum is wrong"
              .formatted(epoch, end.chunks(), end.bytes(), counted.chunks(), counted.bytes()));
    }
    begin(epoch + 1);
  }

  private void begin(long next) {
    epoch = next;
    tally = new EpochTally();
    deviceState = false;
  }
}
