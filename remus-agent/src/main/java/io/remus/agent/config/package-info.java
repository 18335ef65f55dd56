/**
 * The configuration file, read into records. Everything wrong with a file is reported at once, with
 * its line, its key and what is allowed there.
 */
package io.remus.agent.config;
