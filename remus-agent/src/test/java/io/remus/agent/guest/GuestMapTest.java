package io.remus.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.remus.agent.guest.GuestMap.Place;
import org.junit.jupiter.api.Test;

class GuestMapTest {
  /** Of QEMU 7.2: 6 GiB, a VGA card and a module; then memory that consists of NUMA nodes. */
  private static final String PLAIN =
      """
      address-space: VGA
        0000000000000000-ffffffffffffffff (prio 0, i/o): bus master container

      address-space: memory
        0000000000000000-ffffffffffffffff (prio 0, i/o): system
          0000000000000000-00000000bfffffff (prio 0, ram): alias ram-below-4g @pc.ram 0000000000000000-00000000bfffffff
          0000000000000000-ffffffffffffffff (prio -1, i/o): pci
            00000000fd000000-00000000fdffffff (prio 1, ram): vga.vram
            00000000fe000000-00000000feffffff (prio 1, ram): off.vram [disabled]
            00000000fffc0000-00000000ffffffff (prio 0, rom): pc.bios
          00000000000c0000-00000000000c3fff (prio 1, i/o): alias pam-rom @pc.ram 00000000000c0000-00000000000c3fff [disabled]
          0000000100000000-00000001bfffffff (prio 0, ram): alias ram-above-4g @pc.ram 00000000c0000000-000000017fffffff
          00000001c0000000-00000002bfffffff (prio 0, i/o): device-memory
            00000001c0000000-00000001c7ffffff (prio 0, ram): memdimm0

      memory-region: pc.ram
        0000000000000000-000000017fffffff (prio 0, ram): pc.ram
      """;

  private static final String NODES =
      """
      address-space: memory
        0000000000000000-ffffffffffffffff (prio 0, i/o): system
          0000000000000000-00000000bfffffff (prio 0, i/o): alias ram-below-4g @pc.ram 0000000000000000-00000000bfffffff
          0000000100000000-000000013fffffff (prio 0, i/o): alias ram-above-4g @pc.ram 00000000c0000000-00000000ffffffff

      memory-region: pc.ram
        0000000000000000-00000000ffffffff (prio 0, i/o): pc.ram
          0000000000000000-000000007fffffff (prio 0, ram): ram-node0
          0000000080000000-00000000ffffffff (prio 0, ram): ram-node1
      """;

  @Test
  void shouldFindWhatTheGuestSees() {
    GuestMap map = new GuestMap(PLAIN);
    assertThat(map.placesOf("vga.vram")).containsExactly(new Place(0xfd000000L, 0));
    assertThat(map.placesOf("memdimm0")).containsExactly(new Place(0x1c0000000L, 0));
  }

  @Test
  void shouldFindBothPiecesOfMemoryThatTheHoleBelow4GiBCuts() {
    assertThat(new GuestMap(PLAIN).placesOf("pc.ram"))
        .contains(new Place(0, 0), new Place(0x100000000L, 0xc0000000L));
  }

  @Test
  void shouldFindNodesThroughWhatTheyArePartOf() {
    GuestMap map = new GuestMap(NODES);
    assertThat(map.placesOf("ram-node0")).containsExactly(new Place(0, 0));
    assertThat(map.placesOf("ram-node1"))
        .containsExactly(new Place(0x80000000L, 0), new Place(0x100000000L, 0x40000000L));
  }

  @Test
  void shouldNotFindWhatIsSwitchedOffOrNotThere() {
    assertThat(new GuestMap(PLAIN).placesOf("off.vram")).isEmpty();
    assertThat(new GuestMap(PLAIN).placesOf("qxl.vram")).isEmpty();
    assertThat(new GuestMap("unknown command: 'info mtree'\r\n").placesOf("pc.ram")).isEmpty();
  }
}
