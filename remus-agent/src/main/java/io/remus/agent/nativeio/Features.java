package io.remus.agent.nativeio;

/**
 * What this kernel can do for Remus, probed once.
 *
 * @param writeProtect asynchronous write-protect userfaultfd with PAGEMAP_SCAN (Linux 6.7)
 * @param softDirty soft-dirty bits in /proc/pid/pagemap
 * @param nftQueue nftables queue expression in family bridge
 * @param nftTarget the xtables NFQUEUE target through nft_compat in family bridge
 */
public record Features(
    boolean writeProtect, boolean softDirty, boolean nftQueue, boolean nftTarget) {
  /** Asks the kernel. No lasting effect. */
  public static Features probe() {
    long bits = NativeLibrary.remus_probe();
    return new Features((bits & 1) != 0, (bits & 2) != 0, (bits & 8) != 0, (bits & 16) != 0);
  }

  /** The best tracker this kernel has; comparing with a copy works on every kernel. */
  public TrackerKind bestTracker() {
    if (writeProtect) {
      return TrackerKind.WRITE_PROTECT;
    }
    return softDirty ? TrackerKind.SOFT_DIRTY : TrackerKind.SHADOW;
  }

  /** Whether this kernel has what {@code kind} needs. */
  public boolean supports(TrackerKind kind) {
    return switch (kind) {
      case WRITE_PROTECT -> writeProtect;
      case SOFT_DIRTY -> softDirty;
      case SHADOW -> true;
    };
  }

  /** Whether output can be held at all. */
  public boolean holdsOutput() {
    return nftQueue || nftTarget;
  }
}
