/**
 * The control API: HTTP/1.1 with JSON on a unix socket, as docs/openapi.yaml describes it. It
 * translates between that and {@link io.remus.agent.control.Operations}, and decides nothing.
 */
package io.remus.agent.control;
