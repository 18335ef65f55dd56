package io.remus.core.wire;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.util.List;

/**
 * The data of a {@link ChunkKind#DISK} chunk: writes to the guest's disks, in the order the guest
 * made them. A record is {@code u8 kind, u8 disk, u16 reserved 0, u32 length, u64 offset} and, for
 * a write, {@code length} bytes; it never crosses the end of its chunk.
 */
public final class DiskRecords {
  /** What stands before a record's data. */
  public static final int HEAD_BYTES = 16;

  private static final int WRITE = 1;
  private static final int ZERO = 2;

  /** Takes records one by one. */
  public interface Visitor {
    /**
     * Bytes were written.
     *
     * @param disk place in the list of PREPARE
     * @param data valid during the call
     */
    void write(int disk, long offset, ByteBuf data) throws IOException;

    /** A range was filled with zeroes. */
    void zero(int disk, long offset, long length) throws IOException;
  }

  private DiskRecords() {}

  /** Appends a write of all readable bytes of {@code data}, which stays the caller's. */
  public static void write(int disk, long offset, ByteBuf data, ByteBuf out) {
    head(WRITE, disk, offset, data.readableBytes(), out);
    out.writeBytes(data, data.readerIndex(), data.readableBytes());
  }

  /**
   * Appends a range of zeroes.
   *
   * @param length 1 to 2^31-1 bytes
   */
  public static void zero(int disk, long offset, int length, ByteBuf out) {
    head(ZERO, disk, offset, length, out);
  }

  private static void head(int kind, int disk, long offset, int length, ByteBuf out) {
    Check.atLeast(1, length, "length of a disk record");
    out.writeByte(kind).writeByte(disk).writeShort(0).writeInt(length).writeLong(offset);
  }

  /**
   * Refuses records that are not whole, or that reach past a disk's end.
   *
   * @throws ProtocolException saying which is wrong
   */
  public static void check(ByteBuf records, List<DiskImage> disks) {
    ByteBuf rest = records.slice();
    while (rest.isReadable()) {
      if (rest.readableBytes() < HEAD_BYTES) {
        throw new ProtocolException("a disk record ends within its head");
      }
      int kind = rest.readUnsignedByte();
      int disk = rest.readUnsignedByte();
      int reserved = rest.readUnsignedShort();
      int length = rest.readInt();
      long offset = rest.readLong();
      if ((kind != WRITE && kind != ZERO) || reserved != 0 || disk >= disks.size()) {
        throw new ProtocolException(
            "a disk record of kind %d for disk %d is malformed".formatted(kind, disk));
      }
      long bytes = disks.get(disk).bytes();
      if (length < 1 || offset < 0 || offset > bytes - length) {
        throw new ProtocolException(
            "a disk record of %d bytes at %d is outside disk %s"
                .formatted(length, offset, disks.get(disk).target()));
      }
      if (kind == WRITE) {
        if (rest.readableBytes() < length) {
          throw new ProtocolException("a disk record ends within its data");
        }
        rest.skipBytes(length);
      }
    }
  }

  /** Shows every record of a chunk that was checked, in order. */
  public static void visit(ByteBuf records, Visitor visitor) throws IOException {
    ByteBuf rest = records.slice();
    while (rest.isReadable()) {
      int kind = rest.readUnsignedByte();
      int disk = rest.readUnsignedByte();
      rest.skipBytes(2);
      int length = rest.readInt();
      long offset = rest.readLong();
      if (kind == WRITE) {
        visitor.write(disk, offset, rest.readSlice(length));
      } else {
        visitor.zero(disk, offset, length);
      }
    }
  }
}
