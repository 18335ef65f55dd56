package io.remus.core.wire;

import io.remus.core.failover.Role;

/** How a {@link Role} is written on the wire; 0 is none of them. */
final class RoleNumber {
  private RoleNumber() {}

  static int of(Role role) {
    return switch (role) {
      case NONE -> 1;
      case PRIMARY -> 2;
      case STANDBY -> 3;
      case ACTIVE -> 4;
      case SUPERSEDED -> 5;
    };
  }

  static Role role(int number) {
    for (Role role : Role.values()) {
      if (of(role) == number) {
        return role;
      }
    }
    throw new ProtocolException("no host is in role " + number);
  }
}
