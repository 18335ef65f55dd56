package io.remus.agent.disk.replica;

import io.remus.core.wire.Frame;
import java.io.IOException;

/** Takes what a replica's disk holds already. */
@FunctionalInterface
public interface HashSink {
  /**
   * The next blocks of the disk, in order.
   *
   * @throws IOException to end the hashing
   */
  void accept(Frame.BlockHashes hashes) throws IOException;
}
