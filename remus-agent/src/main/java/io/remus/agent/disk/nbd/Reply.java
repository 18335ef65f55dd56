package io.remus.agent.disk.nbd;

/**
 * The answer to one request, given once and on any thread. The client waits for it; as long as it
 * does, the request counts against what the connection may have in flight, so whoever withholds
 * replies slows the client down. A reply whose client has gone in the meantime is dropped.
 */
public interface Reply {
  /** It is done. */
  void ok();

  /** It is not done. */
  void fail(NbdError error);
}
