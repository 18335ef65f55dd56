package io.remus.agent.disk.nbd;

import io.netty.buffer.ByteBuf;

/**
 * A request of the client.
 *
 * @param type NBD_CMD_..., also one that nobody knows
 * @param flags NBD_CMD_FLAG_...
 * @param cookie what the client knows the request by
 * @param offset where in the disk; negative when it is beyond any disk
 * @param length how much of it
 * @param refusal why it is not to be done; null when it is
 * @param data what is to be written, owned by whoever has the request; null unless it is a write
 *     that is to be done
 */
record NbdRequest(
    int type, int flags, long cookie, long offset, long length, NbdError refusal, ByteBuf data) {
  static final int READ = 0;
  static final int WRITE = 1;
  static final int DISC = 2;
  static final int FLUSH = 3;
  static final int TRIM = 4;
  static final int WRITE_ZEROES = 6;
  static final int BLOCK_STATUS = 7;

  static final int FLAG_FUA = 1;
  static final int FLAG_NO_HOLE = 1 << 1;
  static final int FLAG_DF = 1 << 2;
  static final int FLAG_REQ_ONE = 1 << 3;

  boolean has(int flag) {
    return (flags & flag) != 0;
  }

  /** The memory it takes until it is replied to. */
  long memory() {
    return refusal == null && (type == WRITE || type == READ) ? length : 0;
  }

  NbdRequest with(ByteBuf payload) {
    return new NbdRequest(type, flags, cookie, offset, length, refusal, payload);
  }
}
