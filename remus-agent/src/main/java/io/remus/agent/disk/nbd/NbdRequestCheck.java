package io.remus.agent.disk.nbd;

/** Which requests are refused, before any memory is taken for them. */
final class NbdRequestCheck {
  private final boolean readable;
  private final long exportBytes;
  private final int mostBytes;
  private final boolean structured;
  private final boolean contextSet;

  /**
   * For one connection.
   *
   * @param mostBytes of one request
   * @param structured whether structured replies were asked for
   * @param contextSet whether {@code base:allocation} was
   */
  NbdRequestCheck(Export export, int mostBytes, boolean structured, boolean contextSet) {
    this.readable = export instanceof ReadableExport;
    this.exportBytes = export.bytes();
    this.mostBytes = mostBytes;
    this.structured = structured;
    this.contextSet = contextSet;
  }

  /** Why it is refused; null when it is not. */
  NbdError refusal(int type, int flags, long offset, long length) {
    return switch (type) {
      case NbdRequest.READ ->
          readable
              ? range(flags, structured ? NbdRequest.FLAG_DF : 0, offset, length, NbdError.EINVAL)
              : NbdError.EPERM;
      case NbdRequest.WRITE -> range(flags, 0, offset, length, NbdError.ENOSPC);
      case NbdRequest.WRITE_ZEROES ->
          range(flags, NbdRequest.FLAG_NO_HOLE, offset, length, NbdError.ENOSPC);
      case NbdRequest.TRIM -> // clients send more than they may write: it takes no memory
          unknown(flags, 0) || length == 0 || isOutside(offset, length) ? NbdError.EINVAL : null;
      case NbdRequest.BLOCK_STATUS -> blockStatus(flags, offset, length);
      case NbdRequest.FLUSH ->
          unknown(flags, 0) || offset != 0 || length != 0 ? NbdError.EINVAL : null;
      case NbdRequest.DISC -> null;
      default -> NbdError.EINVAL;
    };
  }

  private NbdError blockStatus(int flags, long offset, long length) {
    if (!readable) {
      return NbdError.EPERM;
    }
    boolean wrong =
        !contextSet
            || unknown(flags, NbdRequest.FLAG_REQ_ONE)
            || length == 0
            || isOutside(offset, length);
    return wrong ? NbdError.EINVAL : null;
  }

  private NbdError range(int flags, int known, long offset, long length, NbdError outside) {
    if (unknown(flags, known) || length == 0 || length > mostBytes) {
      return NbdError.EINVAL;
    }
    return isOutside(offset, length) ? outside : null;
  }

  private boolean isOutside(long offset, long length) {
    return offset < 0 || offset > exportBytes - length;
  }

  /** FUA must be taken with every command, though it means something for some only. */
  private static boolean unknown(int flags, int known) {
    return (flags & ~(known | NbdRequest.FLAG_FUA)) != 0;
  }
}
