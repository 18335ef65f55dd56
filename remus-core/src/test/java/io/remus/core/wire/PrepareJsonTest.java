package io.remus.core.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.remus.core.control.DiskDurability;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PrepareJsonTest {

  @Test
  void shouldKeepTheInactiveXmlOrItsAbsence() {
    Frame.Prepare with =
        new Frame.Prepare(
            "vm",
            Frames.UUID,
            1,
            "<a/>",
            "<b/>",
            "q35",
            "10.0.2",
            List.of(new RamBlock("pc.ram", 4096)),
            List.of(),
            DiskDurability.MEMORY,
            25,
            200,
            300,
            List.of());

    assertThat(read(json(with))).isEqualTo(with);
    assertThat(read(json(Frames.prepare()))).isEqualTo(Frames.prepare());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"term\":3             | \"term\":3,\"x\":1        | Unrecognized field \"x\"",
        "\"term\":3             | \"term\":3,\"term\":4     | Duplicate field 'term'",
        "\"term\":3,            | ''                        | Missing creator property 'term'",
        "\"term\":3             | \"term\":null             | Cannot map `null` into type `long`",
        "\"term\":3             | \"term\":\"3\"            | Cannot coerce String value",
        "\"term\":3             | \"term\":3.5              | Cannot coerce Floating-point value",
        "\"term\":3             | \"term\":0                | term is at least 1",
        "\"intervalMs\":25      | \"intervalMs\":99999999999 | out of range of int",
        "\"bytes\":536870912    | \"bytes\":5               | RAM block pc.ram has 5 bytes",
        "\"vm\":\"ledger\"      | \"vm\":\" \"              | VM has no name",
        "\"vm\":\"ledger\"      | \"vm\":\"a\\u0000b\"      | control characters",
        "\"uuid\":\"0e7a        | \"uuid\":\"0E7A           | not the UUID of a VM",
        "\"blocks\":[           | \"blocks\":[null,         | a RAM block is null",
        "\"blocks\":[           | \"blocks\":[[[[[[         | Cannot deserialize",
        "\"disks\":[            | \"disks\":[null,          | VM ledger has no list of disks",
        "\"bytes\":10737418240  | \"bytes\":0               | size of disk vda is at least 1",
        "\"journal\"            | \"paper\"                 | paper",
        "\"journal\"            | null                      | without a disk durability",
        "\"spares\":[           | \"spares\":[\" \",       | spare has no name",
        "[\"hv3\"]}            | [\"hv3\"]}}              | Unexpected close marker",
        "{\"vm\"                | [\"vm\"                   | Prepare",
      })
  void shouldRefuseJsonThatIsNotExactlyAPrepare(
      String original, String replacement, String message) {
    String good = json(Frames.prepare());
    assertThat(good).contains(original);

    assertThatThrownBy(() -> read(good.replace(original, replacement)))
        .isInstanceOf(ProtocolException.class)
        .hasMessageStartingWith("PREPARE")
        .hasMessageContaining(message);
  }

  @Test
  void shouldRefuseMoreBlocksThanAnyVmHas() {
    List<RamBlock> blocks = Collections.nCopies(257, new RamBlock("pc.ram", 4096));

    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new Frame.Prepare(
                    "vm",
                    Frames.UUID,
                    1,
                    "<a/>",
                    null,
                    "q35",
                    "10.0.2",
                    blocks,
                    List.of(),
                    DiskDurability.MEMORY,
                    25,
                    200,
                    300,
                    List.of()));
  }

  private static String json(Frame.Prepare prepare) {
    ByteBuf out = Unpooled.buffer();
    PrepareJson.write(prepare, out);
    return out.toString(StandardCharsets.UTF_8);
  }

  private static Frame read(String json) {
    return FrameCodecs.of(FrameType.PREPARE)
        .read(Unpooled.copiedBuffer(json, StandardCharsets.UTF_8));
  }
}
