/**
 * The protocol between two agents: frames, their limits, and the Netty handlers that read and write
 * them. The layout of every byte is in docs/protocol.md.
 */
package io.remus.core.wire;
