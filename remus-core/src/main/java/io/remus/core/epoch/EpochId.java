package io.remus.core.epoch;

/**
 * One checkpoint of one VM within a term, counted from 1 without gaps. What the initial
 * synchronisation sends belongs to no epoch (the wire writes 0 there).
 *
 * @param number at least 1
 */
public record EpochId(long number) {

  public static final EpochId FIRST = new EpochId(1);

  public EpochId {
    if (number < 1) {
      throw new IllegalArgumentException("an epoch is at least 1, not " + number);
    }
  }

  public EpochId next() {
    return new EpochId(Math.incrementExact(number));
  }

  @Override
  public String toString() {
    return Long.toString(number);
  }
}
