package io.remus.core.control;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.time.Instant;
import java.util.List;

/**
 * Which copies of a VM there are to start it from after both its hosts were lost.
 *
 * @param vm libvirt's name of the VM
 * @param copies those of this host, then what each peer says of its own
 */
public record Copies(String vm, List<Copy> copies) {

  public Copies {
    copies = List.copyOf(copies);
  }

  /** What a copy's disks are. */
  public enum Source {
    /** The VM's own disks, where it ran last: every write that the guest made is on them. */
    PRIMARY,
    /** A backup's replica: the disks as they were at its last committed epoch. */
    REPLICA;

    /** The name in JSON and on the command line: {@code primary} or {@code replica}. */
    @JsonValue
    public String word() {
      return Words.of(this);
    }

    @JsonCreator
    static Source parse(String word) {
      return Words.parse(Source.class, word);
    }
  }

  /**
   * One host's copy.
   *
   * @param source null for a host that has none or did not answer
   * @param term the newest term that the host knows for the VM, 0 for none
   * @param epoch last committed epoch of a replica; null otherwise
   * @param at when that was committed; null otherwise
   * @param remark what it is good for, for the sysadmin
   */
  public record Copy(
      String host, Source source, long term, Long epoch, Instant at, String remark) {}
}
