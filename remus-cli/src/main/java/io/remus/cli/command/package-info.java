/** One class for each command, and what they have in common. */
package io.remus.cli.command;
