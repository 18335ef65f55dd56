package io.remus.agent.socket;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Who besides root may connect to a socket. */
@FunctionalInterface
public interface Access {
  /** Sets owner and mode of a socket that nobody has met yet. */
  void grant(Path socket) throws IOException;

  /** A group by its name; only root when there is no such group. */
  static Access group(String name) {
    return socket -> {
      Files.getFileAttributeView(socket, PosixFileAttributeView.class)
          .setGroup(groupOrRoot(socket, name));
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw----"));
    };
  }

  /** One user, for instance the one that QEMU runs as. */
  static Access user(int uid, int gid) {
    return socket -> {
      // The mode first: not for a moment may the group do more than it will be allowed.
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
      Files.setAttribute(socket, "unix:gid", gid);
      Files.setAttribute(socket, "unix:uid", uid);
    };
  }

  private static GroupPrincipal groupOrRoot(Path socket, String name) throws IOException {
    var lookup = socket.getFileSystem().getUserPrincipalLookupService();
    try {
      return lookup.lookupPrincipalByGroupName(name);
    } catch (UserPrincipalNotFoundException e) {
      Logger log = LoggerFactory.getLogger(Access.class);
      log.warn(
          "There is no group {}; only root can use the socket that is meant for it"
              + " (make it with: groupadd --system {})",
          name,
          name);
      return lookup.lookupPrincipalByGroupName("root");
    }
  }
}
