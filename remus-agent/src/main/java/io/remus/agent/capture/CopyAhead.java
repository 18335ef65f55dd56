package io.remus.agent.capture;

/**
 * Whether many pages are copied before the guest is asked to stop. That is in vain with a guest
 * that writes them again as fast as they are copied: then it is left for some epochs.
 */
final class CopyAhead {
  /** Fewer are left to the pause: each that is copied ahead and written again is one more fault. */
  static final long SOME_PAGES = 1_000;

  /** More than what is copied while the command is on its way, 1 to 2 ms. */
  static final long MANY_PAGES = 4_096;

  static final int LEFT_EPOCHS = 16;

  private int left;

  /** From how many written pages on they are copied before the next pause. */
  long many() {
    return left > 0 ? Long.MAX_VALUE : MANY_PAGES;
  }

  /**
   * An epoch has been captured.
   *
   * @param ahead pages that were copied before the guest was asked to stop
   * @param pages these, and what was written again or later
   */
  void captured(long ahead, long pages) {
    if (ahead > 0 && pages - ahead > ahead / 2) {
      left = LEFT_EPOCHS;
    } else if (left > 0) {
      left--;
    }
  }
}
