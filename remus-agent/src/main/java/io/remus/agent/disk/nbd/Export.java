package io.remus.agent.disk.nbd;

import io.netty.buffer.ByteBuf;

/**
 * A disk as clients see it: something that can be written. Unless it is a {@link ReadableExport},
 * nobody can read it.
 *
 * <p>All methods are called on the server's one event loop, in the order in which the requests
 * came, also those of one client after another: they must not block. Ranges are within the disk and
 * not empty. An exception thrown from here ends the connection.
 *
 * <p>What a client had sent, but what was not let in when it went, never gets here: it has no
 * reply.
 *
 * <p>Requests may be under way together. As the protocol has it, they are in no order until the
 * first is replied to.
 */
public interface Export {
  /** Its name; clients may also ask for the empty one. At most 256 bytes of UTF-8. */
  String name();

  /** Its size in bytes; must not change. */
  long bytes();

  /**
   * Writes all readable bytes.
   *
   * @param data becomes the export's, which releases it
   */
  void write(long offset, ByteBuf data, Reply reply);

  /**
   * Makes a range read as zeroes. This must cost less than to write the zeroes.
   *
   * @param mayUnmap whether the range may lose its space; otherwise it must be as if written
   */
  void zero(long offset, long length, boolean mayUnmap, Reply reply);

  /** The contents of a range are of no more interest. Doing nothing is right, too. */
  void trim(long offset, long length, Reply reply);

  /**
   * Replied to when everything replied to before is on stable storage. A request of the client to
   * write through (FUA) comes as the write and, when that is replied to, a flush.
   */
  void flush(Reply reply);
}
