package io.remus.agent.disk.replica;

/** What a replica's images are, as the record on disk says. */
public enum ReplicaState {
  /** A synchronisation writes them: nothing can run from them. */
  SYNCING,
  /** With the journal replayed they are at one epoch: a VM can run from them. */
  CONSISTENT,
  /** A guest was allowed to write them: they are the VM's disks, and no journal belongs to them. */
  ACTIVE
}
