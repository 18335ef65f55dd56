package io.remus.agent.conductor;

import static org.assertj.core.api.Assertions.assertThat;

import io.remus.core.control.VmState;
import io.remus.core.epoch.Term;
import io.remus.core.failover.Role;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class VmViewTest {
  private static final Instant LONG_AGO = Instant.parse("2026-11-01T12:00:00Z");
  private static final VmView PROTECTED =
      new VmView(Role.PRIMARY, Term.FIRST, VmState.PROTECTED, "in step with hv2", LONG_AGO);

  @Test
  void shouldStayTheSameWhenNothingIsNew() {
    assertThat(PROTECTED.now(Role.PRIMARY, new Term(1), VmState.PROTECTED, "in step with hv2"))
        .isSameAs(PROTECTED);
  }

  @Test
  void shouldKeepSinceWhenWhileTheStateIsTheSame() {
    VmView other = PROTECTED.now(Role.PRIMARY, new Term(2), VmState.PROTECTED, "another reason");

    assertThat(other)
        .isEqualTo(
            new VmView(Role.PRIMARY, new Term(2), VmState.PROTECTED, "another reason", LONG_AGO));
  }

  @Test
  void shouldNoteWhenItEntersAnotherState() {
    VmView lost = PROTECTED.now(Role.PRIMARY, Term.FIRST, VmState.UNPROTECTED, "hv2 is lost");

    assertThat(lost.state()).isEqualTo(VmState.UNPROTECTED);
    assertThat(lost.since()).isAfter(LONG_AGO);
  }
}
