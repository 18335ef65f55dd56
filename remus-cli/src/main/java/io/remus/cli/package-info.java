/** The {@code remus} command. */
package io.remus.cli;
