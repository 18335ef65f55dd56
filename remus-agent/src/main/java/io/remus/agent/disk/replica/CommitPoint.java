package io.remus.agent.disk.replica;

/**
 * Where the disks are in the VM's time.
 *
 * @param term the primary's term, 0 before the first commit
 * @param epoch the last committed epoch
 * @param atMs when it was committed here, milliseconds since 1970
 */
record CommitPoint(long term, long epoch, long atMs) {
  static final CommitPoint NONE = new CommitPoint(0, 0, 0);

  boolean isBefore(CommitPoint other) {
    return term < other.term || (term == other.term && epoch < other.epoch);
  }

  @Override
  public String toString() {
    return "epoch %d of term %d".formatted(epoch, term);
  }
}
