package io.remus.core.epoch;

/**
 * How often a VM has changed its active copy, counted from 1. It only grows and is on disk before
 * it is acted on; the copy with the newest term is the one that may be seen.
 *
 * @param number at least 1
 */
public record Term(long number) {

  public static final Term FIRST = new Term(1);

  public Term {
    if (number < 1) {
      throw new IllegalArgumentException("a term is at least 1, not " + number);
    }
  }

  public Term next() {
    return new Term(Math.incrementExact(number));
  }

  public boolean isNewerThan(Term other) {
    return number > other.number;
  }

  @Override
  public String toString() {
    return Long.toString(number);
  }
}
