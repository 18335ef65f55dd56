/**
 * A drill: a clone of a VM's standby, started from the last committed epoch in a network of its
 * own, while the VM stays protected. The standby is read on its own lane, in slices; all else
 * happens on the drill's thread.
 */
package io.remus.agent.drill;
