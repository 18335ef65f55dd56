package io.remus.agent.conductor;

import java.util.concurrent.CompletionException;

/** What a failed stage failed of. */
final class Causes {
  private Causes() {}

  static Throwable root(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  static String message(Throwable failure) {
    if (failure == null) {
      return "closed by the peer";
    }
    Throwable cause = root(failure);
    return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
  }
}
