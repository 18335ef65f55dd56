package io.remus.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.remus.agent.guest.RamLocator.Listed;
import org.junit.jupiter.api.Test;

class RamLocatorTest {
  /** QEMU 7.2 tells neither the host address nor whether a block may be written. */
  private static final String QEMU_7 =
      """
                    Block Name    PSize  Offset               Used              Total
                        pc.ram    4 KiB  0x0000000000000000 0x0000000020000000 0x0000000020000000
         0000:00:02.0/vga.vram    4 KiB  0x0000000020080000 0x0000000001000000 0x0000000001000000
          /rom@etc/acpi/tables    4 KiB  0x0000000021100000 0x0000000000020000 0x0000000000200000
                       pc.bios    4 KiB  0x0000000020000000 0x0000000000040000 0x0000000000040000
      0000:00:03.0/virtio-net-pci.rom    4 KiB  0x00000000210c0000 0x0000000000040000 0x0000000000040000
                        pc.rom    4 KiB  0x0000000020040000 0x0000000000020000 0x0000000000020000
         /rom@etc/table-loader    4 KiB  0x0000000021300000 0x0000000000001000 0x0000000000010000
            /rom@etc/acpi/rsdp    4 KiB  0x0000000021340000 0x0000000000001000 0x0000000000001000
      """;

  /** QEMU 8 and newer. */
  private static final String QEMU_10 =
      """
                    Block Name    PSize  Offset               Used              Total                HVA  RO
                        pc.ram    4 KiB  0x0000000000000000 0x0000000020000000 0x0000000020000000 0x00007f1a3be00000  rw
                  mem device 1    2 MiB  0x0000000040000000 0x0000000040000000 0x0000000040000000 0x00007f1b00000000  rw
         0000:00:02.0/vga.vram    4 KiB  0x0000000020080000 0x0000000001000000 0x0000000001000000 0x00007f1a3ac00000  rw
                       pc.bios    4 KiB  0x0000000020000000 0x0000000000040000 0x0000000000040000 0x00007f1a5be00000  ro
                 system.flash0    4 KiB  0x0000000030000000 0x0000000000374000 0x0000000000374000 0x00007f1a60000000  ro
                 system.flash1    4 KiB  0x0000000031000000 0x0000000000084000 0x0000000000084000 0x00007f1a61000000  rw
          /rom@etc/acpi/tables    4 KiB  0x0000000021100000 0x0000000000020000 0x0000000000200000 0x00007f1a5a400000  ro
      """;

  @Test
  void shouldReadTheBlocksOfAnOldQemu() {
    assertThat(RamLocator.parse(QEMU_7))
        .hasSize(8)
        .startsWith(
            new Listed("pc.ram", 512L << 20, 0, false),
            new Listed("0000:00:02.0/vga.vram", 16L << 20, 0, false),
            new Listed("/rom@etc/acpi/tables", 0x200000, 0, false));
  }

  @Test
  void shouldReadTheBlocksOfANewQemuWithTheirAddresses() {
    assertThat(RamLocator.parse(QEMU_10))
        .hasSize(7)
        .startsWith(
            new Listed("pc.ram", 512L << 20, 0x7f1a3be00000L, false),
            new Listed("mem device 1", 1L << 30, 0x7f1b00000000L, false))
        .contains(new Listed("pc.bios", 256L << 10, 0x7f1a5be00000L, true));
  }

  @Test
  void shouldLeaveOutRomsOnBothAndNothingElse() {
    assertThat(RamLocator.parse(QEMU_7).stream().filter(RamLocator::holdsState))
        .extracting(Listed::name)
        .containsExactly("pc.ram", "0000:00:02.0/vga.vram");
    assertThat(RamLocator.parse(QEMU_10).stream().filter(RamLocator::holdsState))
        .extracting(Listed::name)
        .containsExactly("pc.ram", "mem device 1", "0000:00:02.0/vga.vram", "system.flash1");
  }

  @Test
  void shouldFindNoBlocksInAnotherText() {
    assertThat(RamLocator.parse("unknown command: 'info ramblock'\r\n")).isEmpty();
    assertThat(RamLocator.parse("")).isEmpty();
  }
}
