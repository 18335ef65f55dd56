package io.remus.agent.guest;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A QEMU migration stream (docs/devel/migration in QEMU's source) that holds device state and no
 * RAM section, made from what {@code xen-save-devices-state} wrote.
 *
 * <pre>
 *   "QEVM" u32 version                  as saved
 *   0x07 u32 length, machine type       configuration section, inserted when missing
 *   sections ... 0x00                   as saved
 *   0x06 u32 2 "{}"                     an empty description, which the loader expects to read
 * </pre>
 */
final class MigrationStream {
  private static final int HEADER = 8;
  private static final byte CONFIGURATION = 0x07;
  private static final byte DESCRIPTION = 0x06;

  private MigrationStream() {}

  static List<ByteBuffer> of(ByteBuffer deviceState, String machine) {
    ByteBuffer header = deviceState.duplicate();
    header.limit(header.position() + HEADER);
    ByteBuffer sections = deviceState.duplicate();
    sections.position(sections.position() + HEADER);
    ByteBuffer configuration =
        sections.get(sections.position()) == CONFIGURATION
            ? ByteBuffer.allocate(0)
            : section(CONFIGURATION, machine);
    return List.of(header, configuration, sections, section(DESCRIPTION, "{}"));
  }

  private static ByteBuffer section(byte kind, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    return ByteBuffer.allocate(5 + bytes.length).put(kind).putInt(bytes.length).put(bytes).flip();
  }
}
