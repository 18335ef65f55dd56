package io.remus.agent.control;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The control socket in the file system. It is bound under another name and renamed when its owner
 * and mode are right, so that nobody ever meets it half made; the rename also replaces a stale
 * file.
 */
final class SocketFile {
  private static final Logger LOG = LoggerFactory.getLogger(SocketFile.class);

  private final Path path;
  private final String group;

  SocketFile(Path path, String group) {
    this.path = path;
    this.group = group;
  }

  /**
   * Makes room for the socket.
   *
   * @return where to bind it
   * @throws IOException when another agent serves the socket, or something else has its name
   */
  Path prepare() throws IOException {
    Files.createDirectories(path.getParent());
    if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      refuseIfUsed();
    }
    Path unpublished = unpublished();
    Files.deleteIfExists(unpublished);
    return unpublished;
  }

  /** Gives the bound socket its group, its mode and its name. */
  void publish() throws IOException {
    Path bound = unpublished();
    Files.getFileAttributeView(bound, PosixFileAttributeView.class).setGroup(group(bound));
    Files.setPosixFilePermissions(bound, PosixFilePermissions.fromString("rw-rw----"));
    Files.move(bound, path, StandardCopyOption.ATOMIC_MOVE);
  }

  void remove() throws IOException {
    Files.deleteIfExists(path);
  }

  private void refuseIfUsed() throws IOException {
    Object mode = Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    boolean socket = mode instanceof Integer bits && (bits & 0xF000) == 0xC000;
    if (!socket) {
      throw new IOException(
          path + " exists and is no socket; move it away or set control.socket to another path");
    }
    try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      probe.connect(UnixDomainSocketAddress.of(path));
    } catch (IOException stale) {
      LOG.info("Replacing the stale control socket {}", path);
      return;
    }
    throw new IOException(
        "another agent serves "
            + path
            + "; stop it first (systemctl stop remus-agent) or set control.socket to another path");
  }

  private GroupPrincipal group(Path bound) throws IOException {
    var lookup = bound.getFileSystem().getUserPrincipalLookupService();
    try {
      return lookup.lookupPrincipalByGroupName(group);
    } catch (UserPrincipalNotFoundException e) {
      LOG.warn(
          "There is no group {}; only root can use {} (make it with: groupadd --system {})",
          group,
          path,
          group);
      return lookup.lookupPrincipalByGroupName("root");
    }
  }

  private Path unpublished() {
    return path.resolveSibling(path.getFileName() + ".new");
  }
}
