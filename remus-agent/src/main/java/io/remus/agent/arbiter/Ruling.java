package io.remus.agent.arbiter;

import io.remus.core.failover.Verdict;
import java.util.Optional;

/** What follows from the record of a VM for a host that asks; see {@link Arbiter}. */
sealed interface Ruling {
  /** The record says it already. */
  record Answer(Verdict verdict) implements Ruling {}

  /** Granted when this takes the record's place before anybody else changes it. */
  record Change(Ownership next) implements Ruling {}

  /** The primary wants its pair to be known. */
  static Ruling onRegister(Pair pair, Optional<Ownership> known) {
    Ownership wanted = Ownership.of(pair);
    if (known.isEmpty() || pair.term().isNewerThan(known.get().termOf())) {
      return new Change(wanted);
    }
    return known.get().saysWhat(wanted) ? granted() : denied(known.get());
  }

  /** The primary wants to go on without its standby. */
  static Ruling onGoAlone(Pair pair, Optional<Ownership> known) {
    return ofPair(pair, known, Ownership.alone(pair));
  }

  /** The standby wants to take over. */
  static Ruling onTakeOver(Pair pair, Optional<Ownership> known) {
    // With a new standby beside it the VM is no less this host's.
    boolean taken =
        known
            .filter(
                record ->
                    record.term() == pair.term().next().number()
                        && record.holder().equals(pair.standby()))
            .isPresent();
    return taken ? granted() : ofPair(pair, known, Ownership.takenOver(pair));
  }

  /** Only the record of the very pair may be changed, and once. */
  private static Ruling ofPair(Pair pair, Optional<Ownership> known, Ownership wanted) {
    if (known.isEmpty()) {
      return unknown(pair, "has no record of it");
    }
    Ownership record = known.get();
    if (record.saysWhat(wanted)) {
      return granted();
    }
    if (record.saysWhat(Ownership.of(pair))) {
      return new Change(wanted);
    }
    return pair.term().isNewerThan(record.termOf())
        ? unknown(pair, "knows only term " + record.term() + " of it, and this is " + pair.term())
        : denied(record);
  }

  private static Ruling granted() {
    return new Answer(new Verdict.Granted());
  }

  private static Ruling denied(Ownership record) {
    return new Answer(new Verdict.Denied(record.termOf(), record.holder()));
  }

  /** The record is of before this pair: etcd was set up anew, or from an old copy. */
  private static Ruling unknown(Pair pair, String what) {
    return new Answer(
        new Verdict.Unknown(
            "etcd %s (VM %s): was etcd restored from a backup? Only `remus unprotect --force` and `remus protect` help"
                .formatted(what, pair.vm()),
            false));
  }
}
