/** What the agent knows about its own work: events and figures. */
package io.remus.agent.status;
