package io.remus.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;

/** Nothing of a clone reaches further than its own files and its own network. */
class CloneDescriptionTest {
  private static final String UUID = "6f1e4a52-0d4e-4c39-9f5d-1f0d6a3c2b11";
  private static final String OTHER = "00000000-0d4e-4c39-9f5d-1f0d6a3c2b11";
  private static final Path VARIABLES = Path.of("/disks/drill/variables.fd");

  @Test
  void shouldBeAnotherVmWithTheSameCard() {
    Element clone =
        clone(
            """
            <interface type='bridge' trustGuestRxFilters='yes'>
              <mac address='52:54:00:77:00:50'/><source bridge='br0'/><target dev='tap-db1'/>
              <vlan><tag id='7'/></vlan><bandwidth/><filterref filter='clean-traffic'/>
              <model type='virtio'/><alias name='net0'/>
            </interface>
            """);

    assertThat(Xml.at(clone, "name").getTextContent()).isEqualTo("ledger-drill");
    assertThat(Xml.at(clone, "uuid").getTextContent()).isEqualTo(OTHER);
    assertThat(Xml.at(clone, "sysinfo", "system", "entry").getTextContent()).isEqualTo(OTHER);
    Element nic = Xml.at(clone, "devices", "interface");
    assertThat(nic.getAttribute("type")).isEqualTo("ethernet");
    assertThat(nic.hasAttribute("trustGuestRxFilters")).isFalse();
    assertThat(Xml.children(nic, "*"))
        .extracting(Element::getLocalName)
        .containsExactly("mac", "model", "alias");
  }

  @Test
  void shouldConnectNoConsoleToAnythingOfThisHost() {
    Element clone =
        clone(
            """
            <serial type='tcp'><source mode='connect' host='10.0.0.9' service='9'/><protocol type='raw'/><target port='0'/></serial>
            <console type='pty' tty='/dev/pts/3'><source path='/dev/pts/3'/><target type='serial'/></console>
            <parallel type='file'><source path='/var/log/x'/><target port='0'/></parallel>
            <channel type='unix'><source mode='bind' path='/run/x'/><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
            """);

    for (String kind : List.of("serial", "console", "parallel")) {
      Element device = Xml.at(clone, "devices", kind);
      assertThat(device.getAttribute("type")).isEqualTo("pty");
      assertThat(Xml.children(device, "*"))
          .extracting(Element::getLocalName)
          .containsExactly("target");
    }
    Element channel = Xml.at(clone, "devices", "channel");
    assertThat(channel.getAttribute("type")).isEqualTo("null");
    assertThat(Xml.children(channel, "*"))
        .extracting(Element::getLocalName)
        .containsExactly("target");
  }

  @Test
  void shouldShowItsScreenOnASocketOnly() {
    Element clone =
        clone(
            "<graphics type='spice' port='5900' tlsPort='5901' autoport='no' listen='0.0.0.0'"
                + " defaultMode='secure'><listen type='address' address='0.0.0.0'/>"
                + "<channel name='main' mode='secure'/><image compression='off'/></graphics>");

    Element graphics = Xml.at(clone, "devices", "graphics");
    assertThat(graphics.getAttributes().getLength()).isOne();
    assertThat(Xml.attribute(graphics, "type", "listen")).isEqualTo("socket");
    assertThat(Xml.children(graphics, "*"))
        .extracting(Element::getLocalName)
        .containsExactly("image", "listen");
  }

  @Test
  void shouldKeepItsFirmwaresVariablesInAFileOfItsOwn() {
    assertThat(CloneDescription.variables(xml(""))).contains(Path.of("/nvram/ledger.fd"));
    assertThat(Xml.at(clone(""), "os", "nvram").getTextContent()).isEqualTo(VARIABLES.toString());
  }

  @Test
  void shouldRefuseWhatCannotBeCutOff() {
    String arguments =
        xml("")
            .replace(
                "</domain>",
                "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'/></domain>");
    String generator = "<rng model='virtio'><backend model='egd' type='tcp'/></rng>";

    assertThat(CloneDescription.obstacle(arguments).orElseThrow().reason())
        .contains("<qemu:commandline>");
    assertThat(CloneDescription.obstacle(xml(generator)).orElseThrow().reason()).contains("egd");
    assertThat(CloneDescription.obstacle(xml(""))).isEmpty();
  }

  @Test
  void shouldNotLetACloneWriteDisksThatAreNotReplicated() throws Exception {
    String disk =
        "<disk type='file' device='disk'><source file='/vm/a.qcow2'/><target dev='vda'/></disk>";
    StandbyGuest.Model model =
        new StandbyGuest.Model("ledger", UUID, "pc-i440fx-7.2", xml(disk), null);
    Path copy = Path.of("/disks/drill/vda.raw");

    assertThatThrownBy(() -> model.cloned("ledger-drill", OTHER, Map.of(), VARIABLES))
        .isInstanceOf(GuestException.class)
        .hasMessageContaining("its disks are not replicated");
    StandbyGuest.Model clone = model.cloned("ledger-drill", OTHER, Map.of("vda", copy), VARIABLES);
    assertThat(clone.vm()).isEqualTo("ledger-drill");
    assertThat(clone.inactiveXml()).isNull();
    assertThat(new DomainDescription(clone.xml()).disks().get(0).file()).isEqualTo(copy);
  }

  private static Element clone(String devices) {
    String clone = CloneDescription.of(xml(devices), "ledger-drill", OTHER, VARIABLES);
    return Xml.parse(clone).getDocumentElement();
  }

  private static String xml(String devices) {
    return """
        <domain type='kvm'>
          <name>ledger</name>
          <uuid>%s</uuid>
          <memory unit='KiB'>524288</memory>
          <sysinfo type='smbios'><system><entry name='uuid'>%s</entry></system></sysinfo>
          <os><type machine='pc-i440fx-7.2'>hvm</type><nvram>/nvram/ledger.fd</nvram></os>
          <devices>
            <emulator>/usr/bin/qemu-system-x86_64</emulator>
            %s
          </devices>
        </domain>
        """
        .formatted(UUID, UUID, devices);
  }
}
