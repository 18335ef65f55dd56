package io.remus.agent.disk.replica;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** An open file, read and written at offsets. Errors name it. Any thread. */
interface BlockFile extends Closeable {
  Path path();

  /** Bytes of the file or block device. */
  long size() throws IOException;

  /** Fills {@code into} from {@code at} on; throws when the file ends before. */
  void read(long at, ByteBuffer into) throws IOException;

  /** Writes all remaining bytes. They may be lost or torn by a power cut until {@link #force}. */
  void write(long at, ByteBuffer bytes) throws IOException;

  /** Cuts the file off. */
  void truncate(long size) throws IOException;

  /** When this returns, everything written before it was called outlives a power cut. */
  void force() throws IOException;
}
