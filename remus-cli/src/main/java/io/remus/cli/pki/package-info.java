/** The certificate authority of a group of hosts, kept in files. */
package io.remus.cli.pki;
