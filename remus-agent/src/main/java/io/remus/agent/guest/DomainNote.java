package io.remus.agent.guest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What libvirt keeps on file of a running domain, so that it finds it again after its own restart.
 * It puts a new file in place of the old one before it answers whoever changed the domain, and when
 * QEMU tells that the guest stopped or runs. To read it takes some ten microseconds; to ask libvirt
 * takes a millisecond or more, for which every epoch would have to wait.
 *
 * @param state such as {@code running}
 * @param domain all that is noted of what the VM is made of, as text to compare
 */
record DomainNote(String state, String domain) {
  private static final Path DIRECTORY = Path.of("/run/libvirt/qemu");
  private static final Pattern STATUS = Pattern.compile("<domstatus state='(\\w+)'");

  /** Reads the note; empty when there is none that can be understood. */
  static Optional<DomainNote> read(String vm) {
    try {
      return parse(Files.readString(DIRECTORY.resolve(vm + ".xml")));
    } catch (IOException e) {
      // Libvirt itself can be asked.
      return Optional.empty();
    }
  }

  static Optional<DomainNote> parse(String note) {
    Matcher status = STATUS.matcher(note);
    int domain = status.find() ? note.indexOf("<domain ", status.end()) : -1;
    return domain < 0
        ? Optional.empty()
        : Optional.of(new DomainNote(status.group(1), note.substring(domain)));
  }

  boolean runs() {
    return state.equals("running");
  }

  /** It sleeps (S3). */
  boolean sleeps() {
    return state.equals("pmsuspended");
  }
}
