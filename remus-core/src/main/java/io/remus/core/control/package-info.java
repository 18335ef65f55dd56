/**
 * What the agent and the {@code remus} command say to each other on the agent's unix socket:
 * requests and replies of the control API, as docs/openapi.yaml describes it, and their JSON form.
 */
package io.remus.core.control;
