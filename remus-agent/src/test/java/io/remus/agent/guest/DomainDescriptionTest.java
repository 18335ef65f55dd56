package io.remus.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.remus.agent.guest.DomainDescription.Nic;
import io.remus.agent.guest.DomainDescription.Obstacle;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;

class DomainDescriptionTest {
  private static final String QEMU = "http://libvirt.org/schemas/domain/qemu/1.0";
  private static final String UUID = "6f1e4a52-0d4e-4c39-9f5d-1f0d6a3c2b11";

  @Test
  void shouldReadWhatProtectionNeeds() {
    DomainDescription ledger = domain("");

    assertThat(ledger.name()).isEqualTo("ledger");
    assertThat(ledger.uuid()).isEqualTo(UUID);
    assertThat(ledger.machine()).isEqualTo("pc-i440fx-7.2");
    assertThat(ledger.emulator()).isEqualTo("/usr/bin/qemu-system-x86_64");
    assertThat(ledger.memoryBytes()).isEqualTo(512L << 20);
    assertThat(ledger.nics()).isEmpty();
    assertThat(ledger.writableDisks()).isEmpty();
    assertThat(ledger.obstacle()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          <hostdev mode='subsystem' type='pci'><source><address domain='0x0000' bus='0x03' slot='0x00' function='0x1'/></source></hostdev> | hostdev 0x0000:0x03:0x00.0x1
          <hostdev mode='subsystem' type='usb'><source><vendor id='0x1234'/></source></hostdev> | hostdev usb
          <shmem name='shared0'/> | shared memory device shared0
          <filesystem type='mount'><source dir='/srv'/><target dir='share'/></filesystem> | filesystem share
          <vsock model='virtio'/> | vsock device
          <redirdev bus='usb' type='spicevmc'/> | USB redirection device
          <smartcard mode='host'/> | smartcard device
          <tpm model='tpm-crb'><backend type='emulator'/></tpm> | TPM device
          <disk type='block' device='lun'><source dev='/dev/sdb'/><target dev='sda'/></disk> | disk sda
          <disk type='vhostuser' device='disk'><source type='unix' path='/run/v'/><target dev='vdb'/></disk> | disk vdb
          """)
  void shouldNameTheDeviceThatReachesPastQemu(String device, String named) {
    Obstacle obstacle = domain(device).obstacle().orElseThrow();

    assertThat(obstacle.reason())
        .startsWith(named)
        .contains("reaches past QEMU, where its writes and its state cannot be captured");
    assertThat(obstacle.advice()).startsWith("detach it");
  }

  @ParameterizedTest
  @CsvSource({"user", "direct", "vhostuser", "hostdev", "ethernet"})
  void shouldNameAnInterfaceWhoseOutputCannotBeHeld(String type) {
    DomainDescription vm =
        domain(
            "<interface type='%s'><mac address='52:54:00:00:00:01'/></interface>".formatted(type));

    assertThat(vm.obstacle())
        .contains(
            new Obstacle(
                "the output of interface 52:54:00:00:00:01 of type '" + type + "' cannot be held",
                "use an interface of type 'bridge' or 'network'"));
  }

  @Test
  void shouldNameAnInterfaceOnOpenVSwitch() {
    DomainDescription vm =
        domain(
            """
            <interface type='bridge'>
              <mac address='52:54:00:00:00:01'/>
              <source bridge='ovsbr0'/>
              <virtualport type='openvswitch'/>
            </interface>
            """);

    assertThat(vm.obstacle().orElseThrow().reason())
        .isEqualTo(
            "interface 52:54:00:00:00:01 is plugged into Open vSwitch, where output cannot be held");
  }

  @Test
  void shouldRefuseEncryptedMemory() {
    String xml = xml("").replace("<devices>", "<launchSecurity type='sev'/><devices>");

    assertThat(new DomainDescription(xml).obstacle().orElseThrow().reason())
        .isEqualTo("its memory is encrypted (launchSecurity)");
  }

  @Test
  void shouldListWritableDisksAndNoOthers() {
    DomainDescription vm =
        domain(
            """
            <disk type='file' device='disk'><source file='/var/a.qcow2'/><target dev='vda'/></disk>
            <disk type='block'><source dev='/dev/vg/b'/><target dev='vdb'/></disk>
            <disk type='file' device='disk'><source file='/var/ro.img'/><target dev='vdc'/><readonly/></disk>
            <disk type='file' device='cdrom'><source file='/var/c.iso'/><target dev='hda'/></disk>
            <disk type='file' device='floppy'><target dev='fda'/></disk>
            <disk type='file' device='disk'><target dev='vdd'/></disk>
            """);

    assertThat(vm.writableDisks())
        .extracting(DiskDescription::target, DiskDescription::source)
        .containsExactly(tuple("vda", "/var/a.qcow2"), tuple("vdb", "/dev/vg/b"), tuple("vdd", ""));
    assertThat(vm.obstacle()).as("disks can be left out").isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "<source file='/a'/><target dev='vda'/><shareable/>  | disk vda is shared with other VMs",
        "<source file='/a'/><target dev='vda'/><transient/>  | disk vda is <transient/>",
        "<source file='/a'><encryption format='luks'/></source><target dev='vda'/> | disk vda is encrypted",
      })
  void shouldNameDisksThatCannotBeReplicated(String disk, String reason) {
    DomainDescription vm = domain("<disk type='file' device='disk'>" + disk + "</disk>");

    assertThat(vm.diskObstacle().orElseThrow().reason()).startsWith(reason);
  }

  @Test
  void shouldLeaveReadOnlySharedDisksAlone() {
    assertThat(
            domain(
                    "<disk type='file'><source file='/a'/><target dev='vda'/><shareable/><readonly/></disk>")
                .diskObstacle())
        .isEmpty();
  }

  @Test
  void shouldPutReplicasInPlaceOfDisksAndTheirBackingChains() {
    String xml =
        xml(
            """
            <disk type='network' device='disk'>
              <driver name='qemu' type='qcow2' cache='none' discard='unmap'/>
              <source protocol='rbd' name='p/a'/>
              <backingStore type='file'><source file='/base.qcow2'/></backingStore>
              <mirror type='file'><source file='/x'/></mirror>
              <target dev='vda' bus='virtio'/>
            </disk>
            <disk type='file'><source file='/b.raw'/><target dev='sda'/></disk>
            <disk type='file' device='cdrom'><source file='/c.iso'/><target dev='hda'/></disk>
            """);

    String replaced =
        DomainDescription.withImages(
            xml, Map.of("vda", Path.of("/r/vda.raw"), "sda", Path.of("/r/sda.raw")));

    assertThat(new DomainDescription(replaced).disks())
        .extracting(DiskDescription::target, DiskDescription::source, DiskDescription::mirror)
        .containsExactly(
            tuple("vda", "/r/vda.raw", null),
            tuple("sda", "/r/sda.raw", null),
            tuple("hda", "/c.iso", null));
    assertThat(replaced)
        .contains("type=\"raw\"", "cache=\"none\"", "discard=\"unmap\"")
        .doesNotContain("qcow2", "rbd", "backingStore");
  }

  @Test
  void shouldKnowTheSocketOfACopyJob() {
    DomainDescription vm =
        domain(
            """
            <disk type='file'><source file='/b.raw'/><target dev='sda'/>
              <mirror type='network' job='copy' ready='yes'>
                <format type='raw'/>
                <source protocol='nbd' name='sda'>
                  <host transport='unix' socket='/d/remus.sda.nbd'/>
                </source>
              </mirror>
            </disk>
            """);

    assertThat(vm.disks()).extracting(DiskDescription::mirror).containsExactly("/d/remus.sda.nbd");
  }

  @Test
  void shouldListInterfacesWithWhatTheyArePluggedInto() {
    DomainDescription vm =
        domain(
            """
            <interface type='bridge'><source bridge='br0'/><target dev='vnet3'/></interface>
            <interface type='network'><source network='default' bridge='virbr0'/><target dev='vnet4'/></interface>
            <interface type='network'><source network='default'/></interface>
            """);

    assertThat(vm.nics())
        .containsExactly(
            new Nic("vnet3", "br0", ""),
            new Nic("vnet4", "virbr0", "default"),
            new Nic("", "", "default"));
    assertThat(vm.obstacle()).isEmpty();
  }

  @Test
  void shouldMakeAStandbyWaitForAMigrationStream() throws Exception {
    Element standby = parse(DomainDescription.asStandby(xml("")));

    assertThat(commandLines(standby)).isEqualTo(1);
    assertThat(arguments(standby)).containsExactly("-incoming", "defer");
    assertThat(new DomainDescription(DomainDescription.asStandby(xml(""))).uuid()).isEqualTo(UUID);
  }

  @Test
  void shouldKeepACommandLineThatIsThere() throws Exception {
    String xml =
        xml("")
            .replace("<domain ", "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' ")
            .replace(
                "</domain>",
                "<qemu:commandline><qemu:arg value='-name'/><qemu:arg value='x'/>"
                    + "<qemu:env name='A' value='B'/></qemu:commandline></domain>");

    Element standby = parse(DomainDescription.asStandby(xml));

    assertThat(commandLines(standby)).isEqualTo(1);
    assertThat(arguments(standby)).containsExactly("-name", "x", "-incoming", "defer");
    assertThat(standby.getElementsByTagNameNS("*", "env").getLength()).isEqualTo(1);
  }

  @Test
  void shouldRefuseXmlThatPullsInFiles() {
    String hostile =
        "<!DOCTYPE domain [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
            + xml("").replace("<name>ledger", "<name>&x;");

    assertThatThrownBy(() -> new DomainDescription(hostile))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("not a domain description: ")
        .hasMessageContaining("DOCTYPE");
    assertThatThrownBy(() -> DomainDescription.asStandby(hostile))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void shouldRefuseWhatIsNoXml() {
    assertThatThrownBy(() -> new DomainDescription("<domain>"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("not a domain description: ");
  }

  private static DomainDescription domain(String devices) {
    return new DomainDescription(xml(devices));
  }

  private static String xml(String devices) {
    return """
        <domain type='kvm'>
          <name>ledger</name>
          <uuid>%s</uuid>
          <memory unit='KiB'>524288</memory>
          <os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type></os>
          <devices>
            <emulator>/usr/bin/qemu-system-x86_64</emulator>
            <controller type='usb' model='none'/>
            %s
          </devices>
        </domain>
        """
        .formatted(UUID, devices);
  }

  private static Element parse(String xml) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setNamespaceAware(true);
    return factory
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(xml)))
        .getDocumentElement();
  }

  private static int commandLines(Element domain) {
    return domain.getElementsByTagNameNS(QEMU, "commandline").getLength();
  }

  private static List<String> arguments(Element domain) {
    var found = domain.getElementsByTagNameNS(QEMU, "arg");
    return IntStream.range(0, found.getLength())
        .mapToObj(i -> ((Element) found.item(i)).getAttribute("value"))
        .toList();
  }
}
