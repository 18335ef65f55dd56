package io.remus.agent.disk;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.remus.core.wire.DiskRecords;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Disk records as text. */
final class Records {
  private Records() {}

  static List<String> in(ByteBuf chunk) throws IOException {
    List<String> records = new ArrayList<>();
    DiskRecords.visit(
        chunk,
        new DiskRecords.Visitor() {
          @Override
          public void write(int disk, long offset, ByteBuf data) {
            records.add("write %d %d %s".formatted(disk, offset, ByteBufUtil.hexDump(data)));
          }

          @Override
          public void zero(int disk, long offset, long length) {
            records.add("zero %d %d %d".formatted(disk, offset, length));
          }
        });
    return records;
  }
}
