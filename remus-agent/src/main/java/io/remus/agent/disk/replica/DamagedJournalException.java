package io.remus.agent.disk.replica;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A journal that was on disk cannot be read any more, so that the images cannot be brought to one
 * epoch. Nothing of it was replayed.
 */
public final class DamagedJournalException extends IOException {
  private static final long serialVersionUID = 1L;

  DamagedJournalException(Path file, String problem) {
    super(
        "the disk journal %s is damaged: %s; the VM cannot run from these images until it has been protected again"
            .formatted(file, problem));
  }
}
