package io.remus.agent.guest;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/**
 * What a VM is made of: all that its standby must have alike to load its state. Hotplug changes it;
 * what libvirt notes down while the VM runs, and what only tunes it, is no part of it.
 */
final class Hardware {
  private static final Set<String> NOTES = Set.of("alias", "mirror", "backingStore");
  private static final Set<String> TUNING = Set.of("iotune", "bandwidth");

  /** Of a {@code <target>}: the guest opens its CD drive, starts its agent. */
  private static final Set<String> GUESTS_OWN = Set.of("tray", "state");

  private final Map<String, String> parts;

  private Hardware(Map<String, String> parts) {
    this.parts = parts;
  }

  /** The hardware of a running domain, by its live XML. */
  static Hardware of(String xml) {
    Element domain = Xml.parse(xml).getDocumentElement();
    Map<String, String> parts = new LinkedHashMap<>();
    parts.put("memory", text(domain, "memory"));
    parts.put("CPUs", text(domain, "vcpu") + text(domain, "vcpus"));
    for (Element device : Xml.children(Xml.at(domain, "devices"), "*")) {
      // Two of one name would hide each other.
      parts.merge(name(device), text(device), String::concat);
    }
    return new Hardware(parts);
  }

  private static String name(Element device) {
    String kind = device.getLocalName();
    return switch (kind) {
      case "interface" -> kind + " " + Xml.attribute(device, "address", "mac");
      case "disk" -> kind + " " + Xml.attribute(device, "dev", "target");
      case "memory" -> "memory module " + Xml.attribute(device, "name", "alias");
      default -> (kind + " " + Xml.attribute(device, "name", "alias")).strip();
    };
  }

  private static String text(Element parent, String child) {
    Element element = Xml.at(parent, child);
    return element == null ? "" : text(element);
  }

  /** The same text for the same part, however it is written down. */
  private static String text(Element element) {
    StringBuilder text = new StringBuilder("<").append(element.getLocalName());
    attributes(element).forEach((name, value) -> text.append(' ').append(name + "=" + value));
    text.append('>');
    for (Node n = element.getFirstChild(); n != null; n = n.getNextSibling()) {
      if (n instanceof Element child) {
        text.append(counts(child) ? text(child) : "");
      } else {
        text.append(n.getTextContent().strip());
      }
    }
    return text.append("</>").toString();
  }

  private static Map<String, String> attributes(Element element) {
    Map<String, String> attributes = new TreeMap<>();
    for (int i = 0; i < element.getAttributes().getLength(); i++) {
      Node attribute = element.getAttributes().item(i);
      if (!element.getLocalName().equals("target")
          || !GUESTS_OWN.contains(attribute.getNodeName())) {
        attributes.put(attribute.getNodeName(), attribute.getNodeValue());
      }
    }
    return attributes;
  }

  private static boolean counts(Element child) {
    String name = child.getLocalName();
    // How much of a virtio-mem module the guest uses is part of its state.
    boolean usedMemory =
        name.equals("current") && child.getParentNode().getLocalName().equals("target");
    return !NOTES.contains(name) && !TUNING.contains(name) && !usedMemory;
  }

  /** What differs in {@code later}, for a human; empty when nothing does. */
  Optional<String> changeTo(Hardware later) {
    List<String> changes = new ArrayList<>();
    later.parts.forEach(
        (name, text) -> {
          String before = parts.get(name);
          if (before == null) {
            changes.add("new: " + name);
          } else if (!before.equals(text)) {
            changes.add("changed: " + name);
          }
        });
    String gone =
        parts.keySet().stream()
            .filter(name -> !later.parts.containsKey(name))
            .map(name -> "gone: " + name)
            .collect(Collectors.joining(", "));
    if (!gone.isEmpty()) {
      changes.add(gone);
    }
    return changes.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", changes));
  }
}
