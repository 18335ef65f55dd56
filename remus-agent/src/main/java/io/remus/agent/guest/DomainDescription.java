package io.remus.agent.guest;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.xml.XMLConstants;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** What a libvirt domain XML says about a VM, as far as protection cares. */
final class DomainDescription {
  private static final String QEMU_NAMESPACE = "http://libvirt.org/schemas/domain/qemu/1.0";

  /** A reason why a VM cannot be protected, and what to do about it. */
  record Obstacle(String reason, String advice) {}

  /**
   * A network interface whose output can be held.
   *
   * @param tap host interface; empty in a description that is not of a running domain
   * @param bridge Linux bridge it is plugged into; empty for a libvirt network
   * @param network libvirt network; empty for a plain bridge
   */
  record Nic(String tap, String bridge, String network) {}

  private final Element domain;

  DomainDescription(String xml) {
    domain = Xml.parse(xml).getDocumentElement();
  }

  String name() {
    return Xml.at(domain, "name").getTextContent().strip();
  }

  String uuid() {
    return Xml.at(domain, "uuid").getTextContent().strip();
  }

  /** Canonical machine type, such as {@code pc-i440fx-7.2}. */
  String machine() {
    return Xml.attribute(domain, "machine", "os", "type");
  }

  String emulator() {
    return Xml.at(domain, "devices", "emulator").getTextContent().strip();
  }

  /** Memory the guest may use, bytes. libvirt always writes KiB. */
  long memoryBytes() {
    return Long.parseLong(Xml.at(domain, "memory").getTextContent().strip()) * 1024;
  }

  List<Nic> nics() {
    List<Nic> nics = new ArrayList<>();
    for (Element e : devices("interface")) {
      nics.add(
          new Nic(
              Xml.attribute(e, "dev", "target"),
              Xml.attribute(e, "bridge", "source"),
              Xml.attribute(e, "network", "source")));
    }
    return nics;
  }

  /** Host interfaces of the guest, in the order in which it has them. */
  List<String> taps() {
    return nics().stream().map(Nic::tap).toList();
  }

  List<DiskDescription> disks() {
    return devices("disk").stream().map(DiskDescription::of).toList();
  }

  /** The disks whose writes have to travel with their epoch. */
  List<DiskDescription> writableDisks() {
    return disks().stream().filter(DiskDescription::writable).toList();
  }

  /** Every file that a disk or its backing chain may lie in. */
  List<Path> diskFiles() {
    List<Path> files = new ArrayList<>();
    for (Element disk : devices("disk")) {
      NodeList sources = disk.getElementsByTagName("source");
      for (int i = 0; i < sources.getLength(); i++) {
        String file = ((Element) sources.item(i)).getAttribute("file");
        if (!file.isEmpty()) {
          files.add(Path.of(file));
        }
      }
    }
    return files;
  }

  /** The first thing that makes it impossible to replicate the disks. */
  Optional<Obstacle> diskObstacle() {
    return devices("disk").stream().flatMap(d -> DiskDescription.obstacle(d).stream()).findFirst();
  }

  /** The first thing that makes protection impossible whatever the host can do. */
  Optional<Obstacle> obstacle() {
    for (Element device : Xml.children(Xml.at(domain, "devices"), "*")) {
      Obstacle found = obstacle(device);
      if (found != null) {
        return Optional.of(found);
      }
    }
    if (Xml.at(domain, "launchSecurity") != null) {
      return Optional.of(
          new Obstacle(
              "its memory is encrypted (launchSecurity)", "remove <launchSecurity> from the VM"));
    }
    return Optional.empty();
  }

  private static Obstacle obstacle(Element device) {
    return switch (device.getLocalName()) {
      case "hostdev" -> passthrough("hostdev " + hostdevAddress(device));
      case "shmem" -> passthrough("shared memory device " + device.getAttribute("name"));
      case "filesystem" -> passthrough("filesystem " + Xml.attribute(device, "dir", "target"));
      case "vsock" -> passthrough("vsock device");
      case "redirdev" -> passthrough("USB redirection device");
      case "smartcard" -> passthrough("smartcard device");
      case "tpm" -> passthrough("TPM device, whose state is kept outside QEMU");
      case "interface" -> interfaceObstacle(device);
      case "disk" -> diskObstacle(device);
      default -> null;
    };
  }

  private static Obstacle interfaceObstacle(Element nic) {
    String type = nic.getAttribute("type");
    if (!type.equals("bridge") && !type.equals("network")) {
      return new Obstacle(
          "the output of interface %s of type '%s' cannot be held".formatted(mac(nic), type),
          "use an interface of type 'bridge' or 'network'");
    }
    if (Xml.attribute(nic, "type", "virtualport").equals("openvswitch")) {
      return new Obstacle(
          "interface %s is plugged into Open vSwitch, where output cannot be held"
              .formatted(mac(nic)),
          "plug it into a Linux bridge");
    }
    return null;
  }

  private static Obstacle diskObstacle(Element disk) {
    boolean past =
        disk.getAttribute("device").equals("lun") || disk.getAttribute("type").equals("vhostuser");
    return past ? passthrough("disk " + Xml.attribute(disk, "dev", "target")) : null;
  }

  private static Obstacle passthrough(String device) {
    return new Obstacle(
        device + " reaches past QEMU, where its writes and its state cannot be captured",
        "detach it, or give the VM an emulated or virtio device instead");
  }

  private static String hostdevAddress(Element hostdev) {
    Element address = Xml.at(hostdev, "source", "address");
    if (address == null) {
      return hostdev.getAttribute("type");
    }
    return "%s:%s:%s.%s"
        .formatted(
            address.getAttribute("domain"),
            address.getAttribute("bus"),
            address.getAttribute("slot"),
            address.getAttribute("function"));
  }

  private static String mac(Element nic) {
    return Xml.attribute(nic, "address", "mac");
  }

  private List<Element> devices(String name) {
    return Xml.children(Xml.at(domain, "devices"), name);
  }

  /** The same VM, with raw images in place of the disks of these targets. */
  static String withImages(String xml, Map<String, Path> images) {
    Document document = Xml.parse(xml);
    for (Element disk : Xml.children(Xml.at(document.getDocumentElement(), "devices"), "disk")) {
      Path image = images.get(Xml.attribute(disk, "dev", "target"));
      if (image != null) {
        DiskDescription.replaceSource(document, disk, image);
      }
    }
    return Xml.text(document);
  }

  /**
   * The same VM, to be started as a standby: QEMU waits for a migration stream that only the agent
   * will send.
   */
  static String asStandby(String xml) {
    Document document = Xml.parse(xml);
    Element domain = document.getDocumentElement();
    domain.setAttributeNS(XMLConstants.XMLNS_ATTRIBUTE_NS_URI, "xmlns:qemu", QEMU_NAMESPACE);
    Element commandline = document.createElementNS(QEMU_NAMESPACE, "qemu:commandline");
    for (String value : List.of("-incoming", "defer")) {
      Element argument = document.createElementNS(QEMU_NAMESPACE, "qemu:arg");
      argument.setAttribute("value", value);
      commandline.appendChild(argument);
    }
    Element existing = Xml.at(domain, "commandline");
    if (existing == null) {
      domain.appendChild(commandline);
    } else {
      while (commandline.getFirstChild() != null) {
        existing.appendChild(commandline.getFirstChild());
      }
    }
    return Xml.text(document);
  }
}
