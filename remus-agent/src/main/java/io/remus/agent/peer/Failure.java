package io.remus.agent.peer;

import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.ssl.NotSslRecordException;
import io.remus.agent.peer.PeerException.Reason;
import io.remus.core.wire.ProtocolException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.security.cert.CertificateException;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.SSLException;

/** Tells causes of failure apart and says what to do about each. */
final class Failure {

  private Failure() {}

  static PeerException connecting(PeerAddress peer, Throwable cause) {
    if (cause instanceof UnknownHostException) {
      return new PeerException(
          Reason.UNKNOWN_ADDRESS,
          "%s: the address does not resolve; check it in the configuration".formatted(peer),
          cause);
    }
    if (cause instanceof ConnectTimeoutException) {
      return new PeerException(
          Reason.TIMEOUT,
          "%s does not answer; check the network and its firewall".formatted(peer),
          cause);
    }
    if (cause instanceof NoRouteToHostException) {
      return new PeerException(
          Reason.NO_ROUTE,
          "there is no network path to %s; check links and routes".formatted(peer),
          cause);
    }
    if (cause instanceof ConnectException) {
      return new PeerException(
          Reason.CONNECTION_REFUSED,
          "%s: nothing listens there; is remus-agent running?".formatted(peer),
          cause);
    }
    return talking(peer.toString(), cause);
  }

  /** What went wrong with a peer that was reached. */
  static PeerException talking(String peer, Throwable thrown) {
    if (thrown instanceof PeerException known) {
      return known;
    }
    Optional<NotSslRecordException> noTls = find(thrown, NotSslRecordException.class);
    if (noTls.isPresent()) {
      return new PeerException(
          Reason.PROTOCOL,
          "%s does not speak TLS; is that the port of remus-agent?".formatted(peer),
          thrown);
    }
    Optional<CertificateException> certificate = find(thrown, CertificateException.class);
    if (certificate.isPresent()) {
      return new PeerException(
          Reason.NOT_TRUSTED,
          "the certificate of %s is not trusted (%s); it must be issued by the same CA as ours"
              .formatted(peer, certificate.get().getMessage()),
          thrown);
    }
    Optional<SSLException> tls = find(thrown, SSLException.class);
    if (tls.isPresent()) {
      String message = String.valueOf(tls.get().getMessage());
      if (message.toLowerCase(Locale.ROOT).contains("alert")) {
        return new PeerException(
            Reason.NOT_TRUSTED,
            "%s does not accept our certificate (%s); it must be issued by the same CA as its own"
                .formatted(peer, message),
            thrown);
      }
      return new PeerException(
          Reason.PROTOCOL, "TLS with %s failed: %s".formatted(peer, message), thrown);
    }
    Optional<ProtocolException> protocol = find(thrown, ProtocolException.class);
    if (protocol.isPresent()) {
      return new PeerException(
          Reason.PROTOCOL,
          "%s broke the protocol: %s".formatted(peer, protocol.get().getMessage()),
          thrown);
    }
    return new PeerException(
        Reason.CLOSED,
        "the connection to %s broke: %s".formatted(peer, thrown.getMessage()),
        thrown);
  }

  private static <T extends Throwable> Optional<T> find(Throwable thrown, Class<T> wanted) {
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      if (wanted.isInstance(cause)) {
        return Optional.of(wanted.cast(cause));
      }
    }
    return Optional.empty();
  }
}
