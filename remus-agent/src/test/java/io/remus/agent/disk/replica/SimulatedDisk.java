package io.remus.agent.disk.replica;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A disk that keeps what was forced, and of everything else, sector by sector and name by name,
 * what chance leaves. Its operations can be made to end at any one of them, as a host or a process
 * does.
 */
final class SimulatedDisk implements Storage {
  private static final int SECTOR = 512;

  /** The host or the process is gone. */
  static final class Gone extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  private interface Change {
    void apply(Contents contents, Random random, double share);
  }

  private static final class Contents {
    byte[] bytes = new byte[0];

    void write(int at, byte[] data, int from, int length) {
      if (bytes.length < at + length) {
        bytes = Arrays.copyOf(bytes, at + length);
      }
      System.arraycopy(data, from, bytes, at, length);
    }
  }

  private static final class Inode {
    Contents now = new Contents();
    byte[] forced = new byte[0];
    final List<Change> unforced = new ArrayList<>();

    void change(Change change) {
      unforced.add(change);
    }
  }

  private interface Renaming {
    void apply(Map<Path, Inode> names);
  }

  private final Random random;
  private Map<Path, Inode> names = new HashMap<>();
  private Map<Path, Inode> forcedNames = new HashMap<>();
  private final List<Renaming> unforcedNames = new ArrayList<>();
  private long operationsLeft = Long.MAX_VALUE;
  private boolean gone;
  private IOException nextWriteFails;
  private int forces;

  SimulatedDisk(Random random) {
    this.random = random;
  }

  /** The operation after this many is the last, and may be done in part. */
  void endAfter(long operations) {
    operationsLeft = operations;
  }

  /** The process is gone; the kernel has everything it was given. */
  void restartProcess() {
    gone = false;
    operationsLeft = Long.MAX_VALUE;
  }

  /** The host is gone: what was not forced is there, or not, or in part. */
  void cutPower() {
    double share = new double[] {0, 0.1, 0.5, 0.9, 1}[random.nextInt(5)];
    for (Renaming renaming : unforcedNames) {
      if (random.nextDouble() < share) {
        renaming.apply(forcedNames);
      }
    }
    unforcedNames.clear();
    names = new HashMap<>(forcedNames);
    for (Inode inode : names.values()) {
      Contents contents = new Contents();
      contents.bytes = inode.forced.clone();
      for (Change change : inode.unforced) {
        change.apply(contents, random, share);
      }
      inode.unforced.clear();
      inode.now = contents;
      inode.forced = contents.bytes.clone();
    }
    restartProcess();
  }

  void failNextWrite(IOException error) {
    nextWriteFails = error;
  }

  int forces() {
    return forces;
  }

  byte[] contents(Path file) {
    return names.get(file).now.bytes.clone();
  }

  /** All files as they are. */
  Map<Path, byte[]> snapshot() {
    Map<Path, byte[]> all = new HashMap<>();
    names.forEach((file, inode) -> all.put(file, inode.now.bytes.clone()));
    return all;
  }

  /** These files and no others, all of them on disk. */
  void restore(Map<Path, byte[]> all) {
    names = new HashMap<>();
    all.forEach(
        (file, bytes) -> {
          Inode inode = new Inode();
          inode.now.bytes = bytes.clone();
          inode.forced = bytes.clone();
          names.put(file, inode);
        });
    forcedNames = new HashMap<>(names);
    unforcedNames.clear();
  }

  /** Returns true when the operation is the last: it may do a part. */
  private boolean isLast() {
    if (gone) {
      throw new Gone();
    }
    if (operationsLeft-- <= 0) {
      gone = true;
      return true;
    }
    return false;
  }

  private void operation() {
    if (isLast()) {
      throw new Gone();
    }
  }

  private void rename(Renaming renaming) {
    operation();
    renaming.apply(names);
    unforcedNames.add(renaming);
  }

  private Inode find(Path file) throws NoSuchFileException {
    Inode inode = names.get(file);
    if (inode == null) {
      throw new NoSuchFileException(file.toString());
    }
    return inode;
  }

  @Override
  public void makeDirectory(Path directory) {}

  @Override
  public boolean exists(Path file) {
    return names.containsKey(file);
  }

  @Override
  public List<Path> list(Path directory) {
    return names.keySet().stream()
        .filter(file -> file.startsWith(directory))
        .map(file -> directory.resolve(directory.relativize(file).getName(0)))
        .distinct()
        .toList();
  }

  @Override
  public FileId identify(Path file) throws IOException {
    return new FileId(false, 1, System.identityHashCode(find(file)));
  }

  @Override
  public String otherUser(Path file) {
    return null;
  }

  @Override
  public BlockFile create(Path file) {
    Inode inode = new Inode();
    rename(all -> all.put(file, inode));
    return new Open(file, inode);
  }

  @Override
  public BlockFile open(Path file) throws IOException {
    return new Open(file, find(file));
  }

  @Override
  public void createImage(Path file, long bytes) throws IOException {
    try (BlockFile image = create(file)) {
      Inode inode = find(image.path());
      inode.now.bytes = new byte[(int) bytes];
      inode.forced = new byte[(int) bytes];
    }
  }

  @Override
  public ImageFile openImage(Path file, boolean writable) throws IOException {
    return new Open(file, find(file));
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    Inode inode = find(from);
    rename(
        all -> {
          all.remove(from);
          all.put(to, inode);
        });
  }

  @Override
  public void delete(Path file) {
    rename(all -> all.remove(file));
  }

  @Override
  public void forceDirectory(Path directory) {
    operation();
    forcedNames = new HashMap<>(names);
    unforcedNames.clear();
  }

  private final class Open implements ImageFile {
    private final Path path;
    private final Inode inode;

    Open(Path path, Inode inode) {
      this.path = path;
      this.inode = inode;
    }

    @Override
    public Path path() {
      return path;
    }

    @Override
    public long size() {
      return inode.now.bytes.length;
    }

    @Override
    public void read(long at, ByteBuffer into) throws IOException {
      if (at + into.remaining() > size()) {
        throw new EOFException(path + " ends");
      }
      into.put(inode.now.bytes, (int) at, into.remaining());
    }

    @Override
    public void write(long at, ByteBuffer bytes) throws IOException {
      if (nextWriteFails != null) {
        IOException error = nextWriteFails;
        nextWriteFails = null;
        throw error;
      }
      byte[] data = new byte[bytes.remaining()];
      bytes.get(data);
      boolean last = isLast();
      write((int) at, last ? Arrays.copyOf(data, random.nextInt(data.length + 1)) : data);
      if (last) {
        throw new Gone();
      }
    }

    private void write(int at, byte[] data) {
      inode.now.write(at, data, 0, data.length);
      inode.change(
          (contents, chance, share) -> {
            for (int from = 0; from < data.length; ) {
              int end = Math.min(data.length, (at + from) / SECTOR * SECTOR + SECTOR - at);
              if (chance.nextDouble() < share) {
                contents.write(at + from, data, from, end - from);
              }
              from = end;
            }
          });
    }

    @Override
    public void zero(long at, long length) throws IOException {
      write(at, ByteBuffer.wrap(new byte[(int) length]));
    }

    @Override
    public long nextData(long from) {
      return from;
    }

    @Override
    public boolean shareWith(ImageFile other) {
      return false;
    }

    @Override
    public void truncate(long size) {
      operation();
      inode.now.bytes = Arrays.copyOf(inode.now.bytes, (int) size);
      inode.change(
          (contents, chance, share) -> {
            if (chance.nextDouble() < share && contents.bytes.length > size) {
              contents.bytes = Arrays.copyOf(contents.bytes, (int) size);
            }
          });
    }

    @Override
    public void force() {
      operation();
      inode.forced = inode.now.bytes.clone();
      inode.unforced.clear();
      forces++;
    }

    @Override
    public void close() {}
  }
}
