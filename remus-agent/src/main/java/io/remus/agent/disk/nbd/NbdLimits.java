package io.remus.agent.disk.nbd;

import java.time.Duration;

/**
 * What a client may ask of the server. Memory is only taken within these.
 *
 * @param requestBytes data of one request, as told to the client in NBD_INFO_BLOCK_SIZE; also the
 *     most that is zeroed or discarded at once
 * @param inFlightRequests requests that wait for their replies
 * @param inFlightBytes data of all requests that wait for their replies; one may exceed it alone
 * @param optionBytes data of one option
 * @param options options before the handshake ends
 * @param handshake from connecting to the end of the handshake
 */
record NbdLimits(
    int requestBytes,
    int inFlightRequests,
    int inFlightBytes,
    int optionBytes,
    int options,
    Duration handshake) {

  /** A mirror of QEMU has at most 16 requests and 16 MiB under way. */
  static final NbdLimits DEFAULT =
      new NbdLimits(32 << 20, 128, 32 << 20, 64 << 10, 32, Duration.ofSeconds(10));
}
