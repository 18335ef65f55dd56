/**
 * What a mirror job of QEMU writes to: a server of the NBD protocol on a unix socket, one disk and
 * one client for each. It knows the protocol and nothing of what becomes of the data; that is the
 * {@link io.remus.agent.disk.nbd.Export}'s.
 *
 * <p>The protocol is fixed newstyle as in doc/proto.md of github.com/NetworkBlockDevice/nbd; names
 * in capitals are that document's.
 */
package io.remus.agent.disk.nbd;
