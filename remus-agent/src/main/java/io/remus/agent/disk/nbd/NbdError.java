package io.remus.agent.disk.nbd;

/** Why a request failed, in the numbers of the protocol. */
public enum NbdError {
  /** Not allowed. */
  EPERM(1),
  /** The data could not be written or read. */
  EIO(5),
  /** The request makes no sense. */
  EINVAL(22),
  /** Past the end of the disk, or the disk is full. */
  ENOSPC(28),
  /** Not done here. */
  ENOTSUP(95),
  /** The server ends; the client must leave. */
  ESHUTDOWN(108);

  private final int number;

  NbdError(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }
}
