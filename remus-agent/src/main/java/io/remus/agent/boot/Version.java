package io.remus.agent.boot;

import java.util.Objects;

/** The version this agent was built as. */
final class Version {
  static final String TEXT =
      Objects.requireNonNullElse(
          Version.class.getPackage().getImplementationVersion(), "unpackaged");

  private Version() {}
}
