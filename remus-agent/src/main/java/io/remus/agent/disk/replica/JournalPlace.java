package io.remus.agent.disk.replica;

/**
 * A place in a journal.
 *
 * @param segment its number
 * @param end bytes of the segment that lie before it
 */
record JournalPlace(long segment, long end) {
  /** Beyond everything. */
  static final JournalPlace NOWHERE = new JournalPlace(Long.MAX_VALUE, Long.MAX_VALUE);

  /** Whether what ends at byte {@code at} of a segment lies before this place. */
  boolean isBehind(long number, long at) {
    return number < segment || (number == segment && at <= end);
  }
}
