package io.remus.core.control;

import java.time.Instant;

/**
 * The agent that answers.
 *
 * @param version of the agent's software
 * @param host this host's name, as its peers know it
 * @param pid process id of the agent
 * @param started when the agent started
 * @param uptimeSeconds whole seconds since then
 */
public record AgentInfo(
    String version, String host, long pid, Instant started, long uptimeSeconds) {}
