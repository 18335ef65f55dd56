package io.remus.core.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DiskRecordsTest {
  private static final List<DiskImage> DISKS =
      List.of(new DiskImage("vda", 1 << 20), new DiskImage("sdb", 3));

  private final ByteBuf records = Unpooled.buffer();

  @Test
  void shouldShowRecordsInTheOrderTheyWereWritten() throws IOException {
    write();

    DiskRecords.check(records, DISKS);
    List<String> seen = new ArrayList<>();
    DiskRecords.visit(
        records,
        new DiskRecords.Visitor() {
          @Override
          public void write(int disk, long offset, ByteBuf data) {
            seen.add("write %d %d %s".formatted(disk, offset, ByteBufUtil.hexDump(data)));
          }

          @Override
          public void zero(int disk, long offset, long length) {
            seen.add("zero %d %d %d".formatted(disk, offset, length));
          }
        });

    assertThat(seen).containsExactly("write 0 1048573 010203", "zero 0 0 1048576", "write 1 2 09");
  }

  @Test
  void shouldRefuseRecordsThatAreCutAnywhereButBetweenTwo() {
    write();
    Set<Integer> between = Set.of(0, 19, 35, 52);
    for (int cut = 0; cut <= records.writerIndex(); cut++) {
      ByteBuf part = records.slice(0, cut);
      if (between.contains(cut)) {
        DiskRecords.check(part, DISKS);
      } else {
        assertThatThrownBy(() -> DiskRecords.check(part, DISKS))
            .as("cut at byte %d", cut)
            .isInstanceOf(ProtocolException.class);
      }
    }
  }

  @Test
  void shouldRefuseWhatReachesPastADisk() {
    refuses("outside disk sdb", () -> DiskRecords.zero(1, 1, 3, records));
    refuses("outside disk vda", () -> DiskRecords.zero(0, -1, 1, records));
    refuses("outside disk vda", () -> DiskRecords.zero(0, Long.MAX_VALUE, 1, records));
    refuses("for disk 2", () -> DiskRecords.zero(2, 0, 1, records));
  }

  @Test
  void shouldRefuseUnknownKindsReservedBitsAndEmptyRanges() {
    refuses("of kind 3", () -> head(3, 0, 1));
    refuses("malformed", () -> head(2, 1, 1));
    refuses("of 0 bytes", () -> head(2, 0, 0));
    refuses("of -1 bytes", () -> head(2, 0, -1));
  }

  private void head(int kind, int reserved, int length) {
    records.writeByte(kind).writeByte(0).writeShort(reserved).writeInt(length).writeLong(0);
  }

  private void refuses(String message, Runnable writer) {
    records.clear();
    writer.run();
    assertThatThrownBy(() -> DiskRecords.check(records, DISKS))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining(message);
  }

  private void write() {
    DiskRecords.write(0, (1 << 20) - 3, Unpooled.wrappedBuffer(new byte[] {1, 2, 3}), records);
    DiskRecords.zero(0, 0, 1 << 20, records);
    DiskRecords.write(1, 2, Unpooled.wrappedBuffer(new byte[] {9}), records);
  }
}
