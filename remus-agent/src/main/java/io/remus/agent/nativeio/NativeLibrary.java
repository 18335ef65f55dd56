package io.remus.agent.nativeio;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;

/**
 * The functions of {@code native/include/remus.h}, one to one. The classes beside this one give
 * them Java faces.
 *
 * <p>The library is the file named by the system property {@code remus.library}.
 */
final class NativeLibrary {
  static {
    String file = System.getProperty("remus.library");
    if (file == null) {
      throw new IllegalStateException("system property remus.library names no file");
    }
    Native.register(NativeLibrary.class, file);
  }

  private NativeLibrary() {}

  static native long remus_probe();

  static native int remus_thread_nice(int nice);

  static native int remus_tracker_open(
      int pid, int kind, Pointer blocks, int count, PointerByReference out);

  static native long remus_tracker_scan(Pointer tracker);

  static native long remus_tracker_pending(Pointer tracker);

  static native void remus_tracker_close(Pointer tracker);

  static native int remus_arena_create(long bytes, PointerByReference out);

  static native void remus_arena_destroy(Pointer arena);

  static native long remus_tracker_copy(Pointer tracker, Pointer arena);

  static native int remus_gate_open(String path, int uid, int gid, PointerByReference out);

  static native void remus_gate_close(Pointer gate);

  static native long remus_pause_begin(Pointer tracker, Pointer arena, long some, long many);

  static native int remus_pause(
      Pointer gate,
      Pointer tracker,
      Pointer arena,
      Pointer queue,
      Pointer writes,
      Pointer state,
      long stateBytes,
      int timeoutMs,
      Pointer result);

  static native int remus_pause_more(
      Pointer gate, Pointer tracker, Pointer arena, Pointer state, long stateBytes, Pointer result);

  static native int remus_pause_abort(Pointer gate, Pointer tracker, Pointer arena);

  static native int remus_pause_hold(
      Pointer gate, Pointer tracker, int scan, long holdNs, int timeoutMs);

  static native int remus_encoder_create(long cacheBytes, PointerByReference out);

  static native void remus_encoder_destroy(Pointer encoder);

  static native void remus_encoder_reset(Pointer encoder);

  static native long remus_encode(
      Pointer encoder,
      Pointer arena,
      Pointer out,
      long capacity,
      int skipZero,
      int pack,
      Pointer counts);

  static native int remus_states_create(PointerByReference out);

  static native void remus_states_destroy(Pointer states);

  static native long remus_states_pack(
      Pointer states, Pointer state, long bytes, PointerByReference out);

  static native long remus_states_unpack(
      Pointer states, Pointer packed, long bytes, PointerByReference out);

  static native int remus_standby_open(int pid, Pointer blocks, int count, PointerByReference out);

  static native void remus_standby_close(Pointer standby);

  static native long remus_standby_blank(Pointer standby);

  static native long remus_records_check(Pointer records, long bytes, long pages);

  static native int remus_standby_apply(Pointer standby, Pointer records, long bytes);

  static native long remus_standby_copy(Pointer from, Pointer to, long page, long count);

  static native int remus_hashes_open(int pid, Pointer blocks, int count, PointerByReference out);

  static native void remus_hashes_close(Pointer hashes);

  static native long remus_hashes_step(Pointer hashes, long pages);

  static native void remus_hashes_arena(Pointer hashes, Pointer arena);

  static native int remus_hashes_records(Pointer hashes, Pointer records, long bytes);

  static native long remus_hashes_sums(Pointer hashes, Pointer sums, long capacity);

  static native int remus_queue_open(int number, int maxPackets, PointerByReference out);

  static native int remus_queue_input(Pointer queue, String networkInterface);

  static native int remus_queue_drain(Pointer queue);

  static native void remus_queue_stop(Pointer queue);

  static native long remus_queue_marker(Pointer queue);

  static native int remus_queue_release(Pointer queue, long marker);

  static native int remus_queue_counts(Pointer queue, Pointer counts);

  static native void remus_queue_close(Pointer queue);

  static native int remus_plug_add(String networkInterface, int queue, String owner);

  static native int remus_plug_remove(String owner);

  static native int remus_plug_list(Pointer text, long capacity);

  static native int remus_tap_open(String networkInterface, int listen, PointerByReference out);

  static native long remus_tap_read(Pointer tap, Pointer frame, long capacity);

  static native void remus_tap_stop(Pointer tap);

  static native int remus_tap_write(Pointer tap, Pointer frame, long bytes);

  static native void remus_tap_close(Pointer tap);

  static native int remus_sparse_open(String path, int writable, PointerByReference out);

  static native void remus_sparse_close(Pointer sparse);

  static native int remus_sparse_zero(Pointer sparse, long at, long bytes);

  static native long remus_sparse_data(Pointer sparse, long from);

  static native int remus_sparse_share(Pointer from, Pointer to);

  static native long remus_sparse_allocated(String path);
}
