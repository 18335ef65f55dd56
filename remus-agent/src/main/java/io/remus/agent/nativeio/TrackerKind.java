package io.remus.agent.nativeio;

/** How written pages are found. The names are those of the configuration. */
public enum TrackerKind {
  /** Write-protect userfaultfd and PAGEMAP_SCAN, Linux 6.7 and newer. */
  WRITE_PROTECT(1, "write-protect"),
  /** Soft-dirty page table bits; scanning needs a pause. */
  SOFT_DIRTY(2, "soft-dirty"),
  /** Comparing all RAM with a copy; the cost grows with the RAM. */
  SHADOW(4, "shadow");

  final int bit;
  private final String configName;

  TrackerKind(int bit, String configName) {
    this.bit = bit;
    this.configName = configName;
  }

  public String configName() {
    return configName;
  }

  /** Whether the guest must stand still during a scan. */
  public boolean scansOnlyPaused() {
    return this == SOFT_DIRTY;
  }
}
