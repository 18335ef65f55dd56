/**
 * Unix sockets as files: who may meet one, and when. What is spoken on them is others' business.
 */
package io.remus.agent.socket;
