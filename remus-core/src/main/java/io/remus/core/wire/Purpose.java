package io.remus.core.wire;

/** What a connection is for. */
public enum Purpose {
  /** Protects one VM. */
  REPLICATE(1),
  /** Asks what the peer knows about VMs. */
  QUERY(2);

  private final int number;

  Purpose(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }

  static Purpose of(int number) {
    for (Purpose purpose : values()) {
      if (purpose.number == number) {
        return purpose;
      }
    }
    throw new ProtocolException("no connection has purpose " + number);
  }
}
