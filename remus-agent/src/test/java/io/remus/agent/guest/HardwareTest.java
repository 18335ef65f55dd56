package io.remus.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HardwareTest {
  private static final String DISK =
      """
      <disk type='file' device='disk'>
        <driver name='qemu' type='raw'/>
        <source file='/var/lib/db1.raw' index='1'/>
        <backingStore/>
        <target dev='vda' bus='virtio'/>
        <alias name='virtio-disk0'/>
      </disk>""";

  private static final String NIC =
      """
      <interface type='bridge'>
        <mac address='52:54:00:00:00:01'/>
        <source bridge='br0'/>
        <target dev='vnet0'/>
        <alias name='net0'/>
      </interface>""";

  private static final String CHANNEL =
      """
      <channel type='unix'>
        <target type='virtio' name='org.qemu.guest_agent.0' state='disconnected'/>
        <alias name='channel0'/>
      </channel>""";

  private static final String MODULE =
      """
      <memory model='virtio-mem'>
        <target>
          <size unit='KiB'>524288</size>
          <current unit='KiB'>0</current>
        </target>
        <alias name='virtiomem0'/>
      </memory>""";

  private static String domain(String devices) {
    return """
        <domain type='kvm' id='1'>
          <name>db1</name>
          <memory unit='KiB'>1048576</memory>
          <currentMemory unit='KiB'>1048576</currentMemory>
          <vcpu placement='static' current='1'>2</vcpu>
          <devices>%s</devices>
        </domain>"""
        .formatted(devices);
  }

  private static final String DOMAIN = domain(DISK + NIC + CHANNEL + MODULE);

  private static String change(String later) {
    return Hardware.of(DOMAIN).changeTo(Hardware.of(later)).orElse("");
  }

  @Test
  void shouldSeeNoChangeInTheSame() {
    assertThat(change(DOMAIN)).isEmpty();
  }

  @Test
  void shouldNameWhatIsNewAndWhatIsGone() {
    String other = NIC.replace("00:01", "00:02").replace("net0", "net1");
    assertThat(change(domain(DISK + NIC + other + CHANNEL + MODULE)))
        .isEqualTo("new: interface 52:54:00:00:00:02");
    assertThat(change(domain(NIC + CHANNEL + MODULE))).isEqualTo("gone: disk vda");
    assertThat(change(domain(NIC + other + CHANNEL)))
        .isEqualTo(
            "new: interface 52:54:00:00:00:02, gone: disk vda, gone: memory module virtiomem0");
  }

  @Test
  void shouldSeeCpusAndMemoryThatWerePluggedIn() {
    assertThat(change(DOMAIN.replace("current='1'", "current='2'"))).isEqualTo("changed: CPUs");
    assertThat(change(DOMAIN.replace("'KiB'>1048576</memory>", "'KiB'>2097152</memory>")))
        .isEqualTo("changed: memory");
  }

  @Test
  void shouldSeeAnotherMediumAndAnotherBridge() {
    assertThat(change(DOMAIN.replace("db1.raw", "db1.qcow2"))).isEqualTo("changed: disk vda");
    assertThat(change(DOMAIN.replace("br0", "br1")))
        .isEqualTo("changed: interface 52:54:00:00:00:01");
  }

  @Test
  void shouldTakeABalloonForTheGuestsOwnBusiness() {
    assertThat(change(DOMAIN.replace("1048576</currentMemory>", "524288</currentMemory>")))
        .isEmpty();
  }

  @Test
  void shouldNotMindWhatLibvirtNotesDownAndWhatTheGuestDoes() {
    assertThat(
            change(
                DOMAIN
                    .replace(
                        "<backingStore/>", "<backingStore/><mirror type='network' job='copy'/>")
                    .replace("bus='virtio'/>", "bus='virtio' tray='open'/>")
                    .replace("disconnected", "connected")
                    .replace("'KiB'>0</current>", "'KiB'>524288</current>")))
        .isEmpty();
  }

  @Test
  void shouldNotMindTuning() {
    assertThat(
            change(
                DOMAIN
                    .replace(
                        "<backingStore/>", "<iotune><total_iops_sec>9</total_iops_sec></iotune>")
                    .replace("<target dev='vnet0'/>", "<target dev='vnet0'/><bandwidth/>")))
        .isEmpty();
  }
}
