package io.remus.agent.peer;

import io.netty.channel.Channel;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Connections that have not greeted yet. Only so many may wait; one more shows out the one that has
 * waited longest. An honest peer greets within milliseconds, so strangers can fill the lobby and
 * yet not lock it.
 */
@SuppressWarnings(
    "FutureReturnValueIgnored") // closing cannot fail, and a write that fails ends the connection
final class Lobby {

  static final int SEATS = 128;

  private final Set<Channel> waiting = new LinkedHashSet<>();

  void enter(Channel channel) {
    Channel longest = null;
    synchronized (waiting) {
      if (waiting.size() == SEATS) {
        Iterator<Channel> channels = waiting.iterator();
        longest = channels.next();
        channels.remove();
      }
      waiting.add(channel);
    }
    if (longest != null) {
      longest.close();
    }
  }

  void leave(Channel channel) {
    synchronized (waiting) {
      waiting.remove(channel);
    }
  }
}
