/** What the commands print, and to what kind of terminal. */
package io.remus.cli.output;
