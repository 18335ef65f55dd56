package io.remus.agent.primary;

import io.remus.agent.nativeio.Arena;
import io.remus.core.epoch.EpochId;

/**
 * Looks at a guest's pages beside its epochs, on the loop's thread. Whatever fails in it is its own
 * matter: the epochs go on.
 */
public interface EpochWatch {
  /** Looks at nothing. */
  EpochWatch NONE =
      new EpochWatch() {
        @Override
        public boolean work() {
          return false;
        }

        @Override
        public void captured(Arena arena) {}

        @Override
        public boolean sent(EpochId epoch, long writes) {
          return true;
        }
      };

  /**
   * The next epoch is not due yet, and the guest runs: half a millisecond's work.
   *
   * @return whether there is more of it
   */
  boolean work();

  /**
   * Pages as they were at the end of the epoch under way; it may have more of them. Of a page that
   * comes twice the later one counts. The guest runs, unless the epoch did not fit the arena.
   */
  void captured(Arena arena);

  /**
   * All pages of the epoch were shown, and the whole of it was put into the connection; what is put
   * there now comes right behind.
   *
   * @param writes how many disk writes the guest had made at the epoch's end
   * @return false when this has seen enough
   */
  boolean sent(EpochId epoch, long writes);
}
