package io.remus.agent.guest;

import io.remus.agent.guest.DomainDescription.Obstacle;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/**
 * A disk in a libvirt domain XML.
 *
 * @param target name in the VM, such as {@code vda}
 * @param source file, device or other place; empty for an empty drive
 * @param writable the guest can change it
 * @param file what is on this host's file system; null when nothing is
 * @param format of it: {@code raw} when it holds just the bytes that the guest sees
 * @param mirror socket, or other place, that a running copy job writes to; null without one
 */
record DiskDescription(
    String target, String source, boolean writable, Path file, String format, String mirror) {

  static DiskDescription of(Element disk) {
    Element source = Xml.at(disk, "source");
    boolean empty = source == null || !source.hasAttributes();
    String path =
        empty ? "" : source.hasAttribute("dev") ? source.getAttribute("dev") : attribute(source);
    return new DiskDescription(
        Xml.attribute(disk, "dev", "target"),
        path,
        isWritable(disk),
        path.startsWith("/") ? Path.of(path) : null,
        Xml.at(disk, "source", "slices") == null
            ? Xml.attribute(disk, "type", "driver")
            : "slice of a file",
        mirror(disk));
  }

  private static String attribute(Element source) {
    return source.hasAttribute("file")
        ? source.getAttribute("file")
        : source.getAttributes().item(0).getNodeValue();
  }

  private static boolean isWritable(Element disk) {
    String device = disk.getAttribute("device");
    boolean medium =
        device.equals("cdrom") || (device.equals("floppy") && Xml.at(disk, "source") == null);
    return !medium && Xml.at(disk, "readonly") == null;
  }

  private static String mirror(Element disk) {
    Element mirror = Xml.at(disk, "mirror");
    return mirror == null ? null : Xml.attribute(mirror, "socket", "source", "host");
  }

  /** What makes it impossible to replicate the disk. */
  static Optional<Obstacle> obstacle(Element disk) {
    if (!isWritable(disk)) {
      return Optional.empty();
    }
    String name = "disk " + Xml.attribute(disk, "dev", "target");
    if (Xml.at(disk, "shareable") != null) {
      return Optional.of(
          new Obstacle(
              name + " is shared with other VMs (<shareable/>), whose writes would be missed",
              "give the VM a disk of its own, or protect it with --disk none"));
    }
    if (Xml.at(disk, "transient") != null) {
      return Optional.of(
          new Obstacle(
              name + " is <transient/>: its writes are thrown away when the VM stops",
              "make it an ordinary disk, or protect the VM with --disk none"));
    }
    if (Xml.at(disk, "source", "encryption") != null || Xml.at(disk, "encryption") != null) {
      return Optional.of(
          new Obstacle(
              name + " is encrypted by QEMU; its replica would not be",
              "encrypt inside the guest, or protect it with --disk none"));
    }
    if (disk.getAttribute("device").equals("floppy")) {
      return Optional.of(
          new Obstacle(name + " is a writable floppy", "eject it, or make it <readonly/>"));
    }
    return Optional.empty();
  }

  /** Puts a raw image or block device in place of the disk's own source, backing chain and all. */
  static void replaceSource(Document document, Element disk, Path image) {
    boolean device = Files.exists(image) && !Files.isRegularFile(image, LinkOption.NOFOLLOW_LINKS);
    disk.setAttribute("type", device ? "block" : "file");
    for (String name : new String[] {"source", "backingStore", "mirror", "auth"}) {
      Element old = Xml.at(disk, name);
      if (old != null) {
        disk.removeChild(old);
      }
    }
    Element driver = Xml.at(disk, "driver");
    if (driver == null) {
      driver = document.createElement("driver");
      driver.setAttribute("name", "qemu");
      disk.insertBefore(driver, disk.getFirstChild());
    }
    driver.setAttribute("type", "raw");
    Element source = document.createElement("source");
    source.setAttribute(device ? "dev" : "file", image.toString());
    disk.insertBefore(source, driver.getNextSibling());
  }
}
