package io.remus.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class MigrationStreamTest {
  private static final String HEADER = "QEVM\0\0\0\3";
  private static final String SECTIONS = "\4\0\0\0\1timer...\0";
  private static final String DESCRIPTION = "\6\0\0\0\2{}";

  @Test
  void shouldInsertTheConfigurationThatQemuLeftOut() {
    assertThat(stream(HEADER + SECTIONS, "pc-i440fx-7.2"))
        .isEqualTo(HEADER + "\7\0\0\0\15pc-i440fx-7.2" + SECTIONS + DESCRIPTION);
  }

  @Test
  void shouldKeepTheConfigurationThatQemuWrote() {
    String configured = HEADER + "\7\0\0\0\3abc" + SECTIONS;

    assertThat(stream(configured, "pc-i440fx-7.2")).isEqualTo(configured + DESCRIPTION);
  }

  @Test
  void shouldReadTheStateWhereverItBeginsAndLeaveItUnread() {
    ByteBuffer state = ByteBuffer.wrap(bytes("before" + HEADER + SECTIONS)).position(6);

    int sum = MigrationStream.of(state, "pc").stream().mapToInt(ByteBuffer::remaining).sum();

    assertThat(sum).isEqualTo(HEADER.length() + 5 + 2 + SECTIONS.length() + DESCRIPTION.length());
    assertThat(state.position()).isEqualTo(6);
  }

  private static String stream(String state, String machine) {
    StringBuilder text = new StringBuilder();
    for (ByteBuffer part : MigrationStream.of(ByteBuffer.wrap(bytes(state)), machine)) {
      text.append(StandardCharsets.ISO_8859_1.decode(part));
    }
    return text.toString();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
