/** Talks to the agent on its unix socket. */
package io.remus.cli.client;
