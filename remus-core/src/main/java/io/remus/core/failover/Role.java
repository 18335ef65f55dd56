package io.remus.core.failover;

/** What a host knows itself to be for one VM. Kept on disk with the term. */
public enum Role {
  /** Nothing: the VM is not known here, or its standby was given up. */
  NONE,
  /** Runs the VM and protects it. */
  PRIMARY,
  /** Holds the standby. */
  STANDBY,
  /** Took the VM over and runs it. */
  ACTIVE,
  /** Had the VM; a newer term runs elsewhere. This host's copy must never be seen again. */
  SUPERSEDED
}
