package io.remus.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DomainNoteTest {
  private static final String NOTE =
      """
      <!--
      WARNING: THIS IS AN AUTO-GENERATED FILE.
      -->

      <domstatus state='running' reason='unpaused' pid='223'>
        <taint flag='custom-monitor'/>
        <qemuCaps>
          <flag name='kvm'/>
        </qemuCaps>
        <domain type='kvm' id='1'>
          <name>db1</name>
        </domain>
      </domstatus>
      """;

  @Test
  void shouldTellWhetherTheGuestRunsOrSleeps() {
    DomainNote running = DomainNote.parse(NOTE).orElseThrow();
    assertThat(running.runs()).isTrue();
    assertThat(running.sleeps()).isFalse();
    DomainNote paused = DomainNote.parse(NOTE.replace("'running'", "'paused'")).orElseThrow();
    assertThat(paused.runs() || paused.sleeps()).isFalse();
    DomainNote asleep = DomainNote.parse(NOTE.replace("'running'", "'pmsuspended'")).orElseThrow();
    assertThat(asleep.sleeps()).isTrue();
    assertThat(asleep.runs()).isFalse();
  }

  @Test
  void shouldDifferWhenTheDomainDoesAndOnlyThen() {
    String domain = DomainNote.parse(NOTE).orElseThrow().domain();
    assertThat(domain).startsWith("<domain type='kvm'");
    assertThat(DomainNote.parse(NOTE.replace("unpaused", "booted")).orElseThrow().domain())
        .isEqualTo(domain);
    assertThat(DomainNote.parse(NOTE.replace("db1", "db2")).orElseThrow().domain())
        .isNotEqualTo(domain);
  }

  @Test
  void shouldNotUnderstandAnotherText() {
    assertThat(DomainNote.parse("")).isEmpty();
    assertThat(DomainNote.parse("<domain type='kvm'/>")).isEmpty();
    assertThat(DomainNote.parse("<domstatus state='running'>")).isEmpty();
    assertThat(DomainNote.read("remus-no-such-vm")).isEmpty();
  }
}
