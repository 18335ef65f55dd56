package io.remus.agent.term;

import static org.assertj.core.api.Assertions.assertThat;

import io.remus.core.control.DiskDurability;
import java.util.List;
import org.junit.jupiter.api.Test;

class WishTest {
  private static Wish wish(String peer, String... spares) {
    return new Wish(peer, 25, 200, false, DiskDurability.MEMORY, List.of(spares));
  }

  @Test
  void shouldWishForTheFirstSpareAfterALossAndForTheLostHostLast() {
    assertThat(wish("hv2", "hv3", "hv4").afterLoss()).isEqualTo(wish("hv3", "hv4", "hv2"));
  }

  @Test
  void shouldWishForTheSameHostWhereThereIsNoSpare() {
    assertThat(wish("hv2").afterLoss()).isEqualTo(wish("hv2"));
  }

  @Test
  void shouldKeepTheOrderOfTheOthersWhenOneIsTaken() {
    assertThat(wish("hv3", "hv4", "hv2").with("hv4")).isEqualTo(wish("hv4", "hv3", "hv2"));
  }
}
