package io.remus.agent.peer;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LobbyTest {

  private final Lobby lobby = new Lobby();

  @Test
  void shouldShowOutTheOneThatHasWaitedLongest() {
    List<EmbeddedChannel> waiting = new ArrayList<>();
    for (int i = 0; i <= Lobby.SEATS; i++) {
      waiting.add(enter());
    }

    assertThat(waiting.get(0).isOpen()).isFalse();
    assertThat(waiting.subList(1, waiting.size())).allMatch(EmbeddedChannel::isOpen);
  }

  @Test
  void shouldHaveRoomAgainWhenOneLeaves() {
    EmbeddedChannel first = enter();
    for (int i = 1; i < Lobby.SEATS; i++) {
      lobby.leave(enter());
    }

    assertThat(enter().isOpen()).isTrue();
    assertThat(first.isOpen()).isTrue();
  }

  private EmbeddedChannel enter() {
    EmbeddedChannel channel = new EmbeddedChannel();
    lobby.enter(channel);
    return channel;
  }
}
