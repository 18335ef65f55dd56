package io.remus.core.failover;

import java.util.Locale;

/** Who decides between two hosts that have lost each other. */
public enum ArbiterKind {
  /** Nobody: a host asks over every path it has and believes the silence. */
  NONE,
  /** A record in etcd that only one of the two can change: cheap, and asked first. */
  ETCD,
  /** A fence device that powers the other host off: the last resort. */
  FENCE;

  /** The name in the configuration. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
