package io.remus.agent.nativeio;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.util.List;

/** Knows which pages of a QEMU process were written. Owned by one thread. */
public final class Tracker extends Handle {
  private final TrackerKind kind;

  public Tracker(int pid, TrackerKind kind, List<MemoryBlock> blocks) throws NativeException {
    super("watch the memory of process " + pid, out -> open(pid, kind, blocks, out));
    this.kind = kind;
  }

  private static int open(
      int pid, TrackerKind kind, List<MemoryBlock> blocks, PointerByReference out) {
    try (Memory array = MemoryBlock.array(blocks)) {
      return NativeLibrary.remus_tracker_open(pid, kind.bit, array, blocks.size(), out);
    }
  }

  public TrackerKind kind() {
    return kind;
  }

  /** Moves newly written pages to the pending set. Returns the pages pending. */
  public long scan() throws NativeException {
    return NativeException.check("scan", NativeLibrary.remus_tracker_scan(pointer()));
  }

  /** Pages known to be written and not copied yet. */
  public long pending() {
    return NativeLibrary.remus_tracker_pending(pointer());
  }

  /**
   * Copies pending pages into the emptied arena while the guest runs. Returns the pages left
   * pending.
   */
  public long copy(Arena arena) throws NativeException {
    return NativeException.check(
        "copy", NativeLibrary.remus_tracker_copy(pointer(), arena.pointer()));
  }

  @Override
  void free(Pointer pointer) {
    NativeLibrary.remus_tracker_close(pointer);
  }
}
