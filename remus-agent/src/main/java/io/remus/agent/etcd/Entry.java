package io.remus.agent.etcd;

/**
 * A key with its value.
 *
 * @param revision of the store when the value was last written; 0 for a key that is not there
 */
public record Entry(String key, String value, long revision) {
  /** A key that is not there. */
  static Entry missing(String key) {
    return new Entry(key, "", 0);
  }

  public boolean isMissing() {
    return revision == 0;
  }
}
