package io.remus.agent.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.remus.core.control.HostInfo;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CandidatesTest {
  private static final Candidates.Needs NEEDS = new Candidates.Needs(4L << 30, Set.of("br0"));
  private static final HostInfo SELF = host("hv1", 64, "br0");

  private static HostInfo host(String name, long freeGib, String... bridges) {
    return new HostInfo(
        name, true, false, "1", "7.2.22", "EPYC", freeGib << 30, List.of(bridges), null, null);
  }

  private static List<String> of(HostInfo... hosts) {
    return Candidates.of(SELF, List.of(hosts), NEEDS);
  }

  @Test
  void shouldTakeTheHostWithTheMostFreeMemoryFirst() {
    assertThat(of(SELF, host("hv2", 8, "br0"), host("hv3", 16, "br0", "br1")))
        .containsExactly("hv3", "hv2");
  }

  @Test
  void shouldNotTakeAHostWithoutTheMemoryOrTheNetworks() {
    assertThat(of(host("hv2", 3, "br0"), host("hv3", 16, "br1"))).isEmpty();
  }

  @Test
  void shouldNotTakeAHostWithAnotherEmulatorOrProcessor() {
    HostInfo newer =
        new HostInfo(
            "hv2", true, false, "1", "10.0.2", "EPYC", 8L << 30, List.of("br0"), null, null);
    HostInfo other =
        new HostInfo(
            "hv3", true, false, "1", "7.2.22", "Xeon", 8L << 30, List.of("br0"), null, null);

    assertThat(of(newer, other)).isEmpty();
  }

  @Test
  void shouldNotTakeAHostThatIsDrainedOrSilent() {
    HostInfo draining =
        new HostInfo(
            "hv2", true, true, "1", "7.2.22", "EPYC", 8L << 30, List.of("br0"), null, null);

    assertThat(of(draining, HostInfo.unregistered("hv3"))).isEmpty();
  }
}
