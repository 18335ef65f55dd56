package io.remus.agent.disk.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;

/** Memory that knows how much of it was not given back. */
final class CountedMemory {
  private final PooledByteBufAllocator allocator =
      new PooledByteBufAllocator(true, 0, 1, 8192, 9, 0, 0, false);

  ByteBufAllocator allocator() {
    return allocator;
  }

  /** To be called when the event loops have ended. */
  void assertAllIsBack() {
    assertThat(allocator.metric().directArenas().get(0).numActiveAllocations()).isZero();
  }
}
