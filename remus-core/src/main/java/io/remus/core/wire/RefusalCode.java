package io.remus.core.wire;

/** Why a request was refused. The message beside it is for the human, this is for the program. */
public enum RefusalCode {
  /**
   * No other code fits, or the peer is newer than this build and has a code for it that is not
   * known here.
   */
  OTHER(1),
  /** No protocol version in common. */
  VERSION(2),
  /** The caller's name is not the one in its certificate, or not configured. */
  UNKNOWN_HOST(3),
  /** The VM is not known here. */
  UNKNOWN_VM(4),
  /** A newer term of the VM is known here. */
  STALE_TERM(5),
  /** Too little free memory for the standby. */
  NO_MEMORY(6),
  /** A bridge that the VM needs is missing here. */
  NO_BRIDGE(7),
  /** The emulator here has not the VM's machine type. */
  MACHINE_TYPE(8),
  /** A standby of the VM is here already, of another primary. */
  ALREADY_STANDBY(9),
  /** A VM of that name or UUID is here already and is not a standby. */
  VM_EXISTS(10),
  /** The administrator of this host does not allow it. */
  NOT_ALLOWED(11),
  /** libvirt or the emulator could not start the standby. */
  STANDBY_FAILED(12),
  /** No room to stage epochs: too many VMs have this host as their backup. */
  STAGE_FULL(13),
  /** The agent is stopping. */
  STOPPING(14);

  private final int number;

  RefusalCode(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }

  static RefusalCode of(int number) {
    if (number == 0) {
      throw new ProtocolException("a refusal has code 0");
    }
    for (RefusalCode code : values()) {
      if (code.number == number) {
        return code;
      }
    }
    return OTHER;
  }
}
