package io.remus.agent.disk.nbd;

import io.netty.buffer.ByteBuf;
import java.util.List;

/** An export that can also be read. */
public interface ReadableExport extends Export {
  /**
   * Reads a range.
   *
   * @param into has room for so many bytes and stays the server's; the export writes {@code length}
   *     bytes to it before it replies, and does not touch it afterwards
   */
  void read(long offset, int length, ByteBuf into, Reply reply);

  /**
   * Says what a range consists of.
   *
   * @return consecutive extents from {@code offset} on, at least one; they need not reach the end
   *     of the range
   */
  List<Extent> extents(long offset, long length);
}
