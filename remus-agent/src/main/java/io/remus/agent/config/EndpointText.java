package io.remus.agent.config;

import java.net.URI;
import java.net.URISyntaxException;

/** An address of etcd as people write it: {@code https://10.0.0.5:2379}. */
final class EndpointText {
  private EndpointText() {}

  /**
   * Reads one.
   *
   * @throws IllegalArgumentException when it is none, or says more than where etcd is
   */
  static URI parse(String text) {
    try {
      URI uri = new URI(text);
      if (isEtcd(uri)) {
        return new URI(uri.getScheme(), null, uri.getHost(), uri.getPort(), null, null, null);
      }
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException("\"%s\" is no address of etcd".formatted(text), e);
    }
    throw new IllegalArgumentException("\"%s\" is no address of etcd".formatted(text));
  }

  private static boolean isEtcd(URI uri) {
    return ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))
        && uri.getHost() != null
        && uri.getPort() > 0
        && uri.getRawUserInfo() == null
        && (uri.getRawPath().isEmpty() || uri.getRawPath().equals("/"))
        && uri.getRawQuery() == null
        && uri.getRawFragment() == null;
  }
}
