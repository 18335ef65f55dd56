package io.remus.agent.peer;

/**
 * Where another agent listens.
 *
 * @param name of the host, as in its certificate
 * @param address IP address, or a name to resolve
 * @param port TCP port
 */
public record PeerAddress(String name, String address, int port) {

  @Override
  public String toString() {
    return "%s (%s port %d)".formatted(name, address, port);
  }
}
