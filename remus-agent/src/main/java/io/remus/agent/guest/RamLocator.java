package io.remus.agent.guest;

import io.remus.agent.guest.QemuProcess.Mapping;
import io.remus.agent.nativeio.MemoryBlock;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds where QEMU keeps a guest's RAM blocks.
 *
 * <p>{@code info ramblock} lists them; from QEMU 8 it tells the host address, too. On an older QEMU
 * a block is found by where it is mapped into the guest ({@link GuestMap}, {@code gpa2hva}), and
 * one that is not mapped yet (a standby that waits has no PCI addresses) by a mapping of the
 * process that has exactly its size.
 */
final class RamLocator {
  /**
   * A block of guest state.
   *
   * @param name QEMU's name, the same on both hosts
   */
  record Block(String name, MemoryBlock memory) {}

  /** A line of {@code info ramblock}; address 0 when this QEMU does not tell it. */
  record Listed(String name, long bytes, long address, boolean readOnly) {}

  private static final Pattern LINE =
      Pattern.compile(
          "\\s*(\\S.*?)\\s+\\d+ [KMG]iB\\s+0x[0-9a-f]+\\s+0x[0-9a-f]+\\s+0x([0-9a-f]+)(?:\\s+0x([0-9a-f]+))?(?:\\s+(ro|rw))?\\s*");
  private static final Pattern HOST_ADDRESS = Pattern.compile(" is 0x([0-9a-f]+)");

  private final Monitor monitor;
  private final QemuProcess process;
  private final String vm;

  RamLocator(Monitor monitor, QemuProcess process, String vm) {
    this.monitor = monitor;
    this.process = process;
    this.vm = vm;
  }

  /** Every block that holds guest state, in QEMU's order. */
  List<Block> locate() throws GuestException {
    List<Listed> wanted =
        parse(monitor.human("info ramblock")).stream().filter(RamLocator::holdsState).toList();
    GuestMap map = null;
    List<Mapping> mappings = process.writableMappings();
    List<Block> blocks = new ArrayList<>();
    for (Listed block : wanted) {
      long address = block.address();
      if (address == 0) {
        if (map == null) {
          map = new GuestMap(monitor.human("info mtree"));
        }
        address = byGuestAddress(block, map);
      }
      if (address == 0) {
        address = bySize(block, wanted, mappings);
      }
      if (address == 0 || !mapped(address, block.bytes(), mappings)) {
        throw new GuestException(
            GuestException.Kind.UNPROTECTABLE,
            "cannot locate the memory of device '%s' (%d KiB) of VM %s"
                .formatted(block.name(), block.bytes() / 1024, vm),
            "remove the device from the VM, or update QEMU to 8.0 or newer");
      }
      blocks.add(new Block(block.name(), new MemoryBlock(address, block.bytes())));
    }
    return blocks;
  }

  static List<Listed> parse(String ramblocks) {
    List<Listed> listed = new ArrayList<>();
    for (String line : ramblocks.lines().toList()) {
      Matcher m = LINE.matcher(line);
      if (m.matches()) {
        listed.add(
            new Listed(
                m.group(1),
                Long.parseUnsignedLong(m.group(2), 16),
                m.group(3) == null ? 0 : Long.parseUnsignedLong(m.group(3), 16),
                "ro".equals(m.group(4))));
      }
    }
    return listed;
  }

  /**
   * ROMs are rebuilt by the same machine type on the other side; everything else is guest state.
   */
  static boolean holdsState(Listed block) {
    String name = block.name();
    return !block.readOnly()
        && !name.startsWith("/rom@")
        && !name.endsWith(".rom")
        && !name.endsWith("pc.bios")
        && !name.equals("system.flash0");
  }

  private long byGuestAddress(Listed block, GuestMap map) throws GuestException {
    String region = block.name().substring(block.name().lastIndexOf('/') + 1);
    for (GuestMap.Place place : map.placesOf(region)) {
      String answer = monitor.human("gpa2hva 0x" + Long.toHexString(place.guest()));
      Matcher host = HOST_ADDRESS.matcher(answer);
      if (host.find() && answer.contains("(" + region + ")")) {
        return Long.parseUnsignedLong(host.group(1), 16) - place.offset();
      }
    }
    return 0;
  }

  private static long bySize(Listed block, List<Listed> wanted, List<Mapping> mappings) {
    boolean onlyBlock = wanted.stream().filter(b -> b.bytes() == block.bytes()).count() == 1;
    List<Mapping> same = mappings.stream().filter(m -> m.bytes() == block.bytes()).toList();
    return onlyBlock && same.size() == 1 ? same.get(0).start() : 0;
  }

  private static boolean mapped(long address, long bytes, List<Mapping> mappings) {
    long covered = address;
    for (Mapping m : mappings) {
      if (m.start() <= covered && covered < m.end()) {
        covered = m.end();
      }
    }
    return covered >= address + bytes && address % MemoryBlock.PAGE == 0;
  }
}
