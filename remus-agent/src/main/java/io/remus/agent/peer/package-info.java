/**
 * Connections between agents: TCP with TLS 1.3 and certificates on both sides, carrying the frames
 * of {@code io.remus.core.wire}. What the frames mean is no business of this package.
 */
package io.remus.agent.peer;
