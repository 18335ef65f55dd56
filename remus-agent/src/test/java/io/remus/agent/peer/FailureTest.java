package io.remus.agent.peer;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ConnectTimeoutException;
import io.remus.agent.peer.PeerException.Reason;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;

class FailureTest {

  private static final PeerAddress PEER = new PeerAddress("hv2", "198.51.100.2", 7878);

  @Test
  void shouldTellApartWhyAPeerCannotBeReached() {
    connecting(new UnknownHostException(), Reason.UNKNOWN_ADDRESS, "the address does not resolve");
    connecting(new ConnectTimeoutException(), Reason.TIMEOUT, "does not answer");
    connecting(new NoRouteToHostException(), Reason.NO_ROUTE, "there is no network path to");
    connecting(new ConnectException(), Reason.CONNECTION_REFUSED, "nothing listens there");
    connecting(new IOException("Broken pipe"), Reason.CLOSED, "Broken pipe");
  }

  private static void connecting(Throwable cause, Reason reason, String message) {
    PeerException failure = Failure.connecting(PEER, cause);
    assertThat(failure.reason()).isEqualTo(reason);
    assertThat(failure)
        .hasMessageContaining("hv2 (198.51.100.2 port 7878)")
        .hasMessageContaining(message);
  }
}
