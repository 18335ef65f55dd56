package io.remus.agent.guest;

import io.remus.agent.guest.DomainDescription.Obstacle;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/**
 * A VM's description, changed so that a clone of it runs beside its standby and nothing of it
 * reaches further: network cards without a network, consoles and screens without a place on this
 * host's network, no file that the standby uses. What the guest sees stays the same.
 */
final class CloneDescription {
  private static final Set<String> CHARACTER_DEVICES = Set.of("serial", "parallel", "console");

  /** What a network card may have besides what the guest sees: all of it is about a network. */
  private static final List<String> PLUGS =
      List.of("source", "target", "virtualport", "vlan", "port", "bandwidth", "filterref");

  private CloneDescription() {}

  /** What cannot be cut off. */
  static Optional<Obstacle> obstacle(String xml) {
    Element domain = Xml.parse(xml).getDocumentElement();
    if (Xml.at(domain, "commandline") != null) {
      return Optional.of(
          new Obstacle(
              "it has QEMU arguments of its own (<qemu:commandline>), whose reach is not known",
              "remove them from the VM"));
    }
    for (Element rng : Xml.children(Xml.at(domain, "devices"), "rng")) {
      if (Xml.attribute(rng, "model", "backend").equals("egd")) {
        return Optional.of(
            new Obstacle(
                "its random number generator asks another program (egd)",
                "give it the backend 'random'"));
      }
    }
    return Optional.empty();
  }

  /** The file with the VM's UEFI variables on this host; empty when it has none. */
  static Optional<Path> variables(String xml) {
    Element nvram = Xml.at(Xml.parse(xml).getDocumentElement(), "os", "nvram");
    if (nvram == null) {
      return Optional.empty();
    }
    String file = Xml.attribute(nvram, "file", "source");
    return Optional.of(Path.of(file.isEmpty() ? nvram.getTextContent().strip() : file));
  }

  /**
   * The clone, still with the VM's own disks.
   *
   * @param variables where its UEFI variables are to be kept, if it has any
   */
  static String of(String xml, String name, String uuid, Path variables) {
    Document document = Xml.parse(xml);
    Element domain = document.getDocumentElement();
    Xml.at(domain, "name").setTextContent(name);
    Xml.at(domain, "uuid").setTextContent(uuid);
    firmwareTable(domain, uuid);
    Element nvram = Xml.at(domain, "os", "nvram");
    if (nvram != null) {
      nvram.removeAttribute("type");
      nvram.setTextContent(variables.toString());
    }
    for (Element device : Xml.children(Xml.at(domain, "devices"), "*")) {
      String kind = device.getLocalName();
      if (kind.equals("interface")) {
        unplug(device);
      } else if (CHARACTER_DEVICES.contains(kind)) {
        connect(device, "pty");
      } else if (kind.equals("channel")) {
        connect(device, "null");
      } else if (kind.equals("graphics")) {
        hide(document, device);
      }
    }
    return Xml.text(document);
  }

  /** libvirt wants it to say the same as the domain; the guest has read it long ago. */
  private static void firmwareTable(Element domain, String uuid) {
    Element system = Xml.at(domain, "sysinfo", "system");
    if (system != null) {
      for (Element entry : Xml.children(system, "entry")) {
        if (entry.getAttribute("name").equals("uuid")) {
          entry.setTextContent(uuid);
        }
      }
    }
  }

  private static void unplug(Element nic) {
    nic.setAttribute("type", "ethernet");
    nic.removeAttribute("trustGuestRxFilters");
    for (String plug : PLUGS) {
      removeAll(nic, plug);
    }
  }

  private static void connect(Element device, String type) {
    device.setAttribute("type", type);
    device.removeAttribute("tty");
    for (String place : List.of("source", "protocol", "log", "clipboard", "filetransfer")) {
      removeAll(device, place);
    }
  }

  /** A screen is shown on a socket that libvirt makes, for `virt-viewer --attach`. */
  private static void hide(Document document, Element graphics) {
    String type = graphics.getAttribute("type");
    if (type.equals("vnc") || type.equals("spice")) {
      for (String place :
          List.of("port", "tlsPort", "autoport", "websocket", "listen", "socket", "defaultMode")) {
        graphics.removeAttribute(place);
      }
      removeAll(graphics, "listen");
      removeAll(graphics, "channel");
      Element listen = document.createElement("listen");
      listen.setAttribute("type", "socket");
      graphics.appendChild(listen);
    }
  }

  private static void removeAll(Element parent, String name) {
    Xml.children(parent, name).forEach(parent::removeChild);
  }
}
