package io.remus.agent.disk.nbd;

/**
 * How much of a connection waits for replies: requests, and the memory of their data. Used on the
 * connection's event loop only.
 */
final class InFlight {
  private final int mostRequests;
  private final int mostBytes;
  private int requests;
  private long bytes;

  InFlight(int mostRequests, int mostBytes) {
    this.mostRequests = mostRequests;
    this.mostBytes = mostBytes;
  }

  /** Whether one more request may come in; one alone always may. */
  boolean hasRoomFor(long moreBytes) {
    return requests == 0 || (requests < mostRequests && bytes + moreBytes <= mostBytes);
  }

  void enter(long moreBytes) {
    requests++;
    bytes += moreBytes;
  }

  void leave(long fewerBytes) {
    requests--;
    bytes -= fewerBytes;
  }
}
