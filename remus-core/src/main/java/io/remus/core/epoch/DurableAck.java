package io.remus.core.epoch;

import io.remus.core.wire.Frame;

/**
 * Proof that the backup has committed an epoch of a term, and every epoch of that term before it.
 * Output is released against this and nothing else (output commit), so it cannot be made from
 * numbers: only an ACK that came over the wire turns into one.
 */
public final class DurableAck {

  private final Term term;
  private final EpochId epoch;

  private DurableAck(Term term, EpochId epoch) {
    this.term = term;
    this.epoch = epoch;
  }

  /**
   * The proof an ACK carries.
   *
   * @param ack as the frame decoder read it from the backup
   */
  public static DurableAck of(Frame.Ack ack) {
    return new DurableAck(new Term(ack.term()), new EpochId(ack.epoch()));
  }

  public Term term() {
    return term;
  }

  public EpochId epoch() {
    return epoch;
  }

  @Override
  public String toString() {
    return "ack of epoch " + epoch + " of term " + term;
  }
}
