package io.remus.agent.socket;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A socket in the file system. It is bound under another name and renamed when its owner and mode
 * are right, so that nobody ever meets it half made; the rename also replaces a stale file.
 */
public final class SocketFile {
  private static final Logger LOG = LoggerFactory.getLogger(SocketFile.class);

  private final Path path;
  private final Access access;
  private final String otherwise;

  /**
   * A socket that does not exist yet.
   *
   * @param otherwise what else an operator can do when the path is taken, such as "set X to another
   *     path"
   */
  public SocketFile(Path path, Access access, String otherwise) {
    this.path = path;
    this.access = access;
    this.otherwise = otherwise;
  }

  /**
   * Makes room for the socket.
   *
   * @return where to bind it
   * @throws IOException when another agent serves the socket, or something else has its name
   */
  public Path prepare() throws IOException {
    Files.createDirectories(path.getParent());
    if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      refuseIfUsed();
    }
    Path unpublished = unpublished();
    Files.deleteIfExists(unpublished);
    return unpublished;
  }

  /** Gives the bound socket its owner, its mode and its name. */
  public void publish() throws IOException {
    Path bound = unpublished();
    access.grant(bound);
    Files.move(bound, path, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Takes the socket's name away; connections stay. */
  public void remove() throws IOException {
    Files.deleteIfExists(path);
  }

  private void refuseIfUsed() throws IOException {
    Object mode = Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    boolean socket = mode instanceof Integer bits && (bits & 0xF000) == 0xC000;
    if (!socket) {
      throw new IOException(path + " exists and is no socket; move it away or " + otherwise);
    }
    try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      probe.connect(UnixDomainSocketAddress.of(path));
    } catch (IOException stale) {
      LOG.info("Replacing the stale socket {}", path);
      return;
    }
    throw new IOException(
        "another agent serves "
            + path
            + "; stop it first (systemctl stop remus-agent) or "
            + otherwise);
  }

  private Path unpublished() {
    return path.resolveSibling(path.getFileName() + ".new");
  }
}
