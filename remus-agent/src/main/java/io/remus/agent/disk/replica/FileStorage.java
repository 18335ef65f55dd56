package io.remus.agent.disk.replica;

import io.remus.agent.nativeio.SparseFile;
import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** The kernel's files. */
final class FileStorage implements Storage {
  private static final Set<OpenOption> CREATE =
      Set.of(
          StandardOpenOption.CREATE,
          StandardOpenOption.TRUNCATE_EXISTING,
          StandardOpenOption.READ,
          StandardOpenOption.WRITE);
  private static final Set<OpenOption> WRITE =
      Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE);
  private static final Set<OpenOption> READ = Set.of(StandardOpenOption.READ);

  /**
   * A guest's disks are nobody's business but the agent's and the QEMU's that will run from them.
   */
  private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  /** QEMU's user has to get to its image. */
  private static final FileAttribute<Set<PosixFilePermission>> PASSAGE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx--x--x"));

  @Override
  public void makeDirectory(Path directory) throws IOException {
    Files.createDirectories(directory, PASSAGE);
  }

  @Override
  public boolean exists(Path file) {
    return Files.exists(file);
  }

  @Override
  public List<Path> list(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.toList();
    }
  }

  @Override
  public FileId identify(Path file) throws IOException {
    return FileId.of(file);
  }

  @Override
  public String otherUser(Path file) throws IOException {
    return OtherUsers.of(file);
  }

  @Override
  public BlockFile create(Path file) throws IOException {
    return new OpenFile(file, null, CREATE);
  }

  @Override
  public BlockFile open(Path file) throws IOException {
    return new OpenFile(file, null, WRITE);
  }

  @Override
  public void createImage(Path file, long bytes) throws IOException {
    Files.deleteIfExists(file);
    Files.createFile(file, OWNER_ONLY);
    try (RandomAccessFile image = new RandomAccessFile(file.toFile(), "rw")) {
      image.setLength(bytes);
      image.getFD().sync();
    }
  }

  @Override
  public ImageFile openImage(Path file, boolean writable) throws IOException {
    SparseFile sparse = new SparseFile(file.toString(), writable);
    try {
      return new OpenFile(file, sparse, writable ? WRITE : READ);
    } catch (IOException e) {
      sparse.close();
      throw e;
    }
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
  }

  @Override
  public void delete(Path file) throws IOException {
    Files.deleteIfExists(file);
  }

  @Override
  public void forceDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static final class OpenFile implements ImageFile {
    private final Path path;
    private final SparseFile sparse;
    private final FileChannel channel;

    OpenFile(Path path, SparseFile sparse, Set<OpenOption> options) throws IOException {
      this.path = path;
      this.sparse = sparse;
      channel = FileChannel.open(path, options, OWNER_ONLY);
    }

    @Override
    public Path path() {
      return path;
    }

    @Override
    public long size() throws IOException {
      return channel.size();
    }

    @Override
    public void read(long at, ByteBuffer into) throws IOException {
      long from = at;
      while (into.hasRemaining()) {
        int count = channel.read(into, from);
        if (count < 0) {
          throw new EOFException("%s ends at byte %d".formatted(path, from));
        }
        from += count;
      }
    }

    @Override
    public void write(long at, ByteBuffer bytes) throws IOException {
      long to = at;
      try {
        while (bytes.hasRemaining()) {
          to += channel.write(bytes, to);
        }
      } catch (IOException e) {
        throw failure("write", e);
      }
    }

    @Override
    public void truncate(long size) throws IOException {
      try {
        channel.truncate(size);
      } catch (IOException e) {
        throw failure("cut off", e);
      }
    }

    @Override
    public void force() throws IOException {
      try {
        channel.force(false);
      } catch (IOException e) {
        throw failure("put on disk", e);
      }
    }

    @Override
    public void zero(long at, long length) throws IOException {
      sparse.zero(at, length);
    }

    @Override
    public long nextData(long from) throws IOException {
      return sparse.nextData(from);
    }

    @Override
    public boolean shareWith(ImageFile other) throws IOException {
      return other instanceof OpenFile file && sparse.shareWith(file.sparse);
    }

    private IOException failure(String what, IOException e) {
      String message = "cannot %s %s: %s".formatted(what, path, e.getMessage());
      if (String.valueOf(e.getMessage()).contains("No space left")) {
        message += "; make room in " + path.getParent();
      }
      return new IOException(message, e);
    }

    @Override
    public void close() throws IOException {
      channel.close();
      if (sparse != null) {
        sparse.close();
      }
    }
  }
}
