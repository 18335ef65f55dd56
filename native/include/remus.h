/*
 * The native half of Remus: everything that must happen while a guest stands still, and what the JVM cannot reach.
 *
 * Conventions
 *   - A function that can fail returns a negative errno; zero or a positive count means success.
 *   - No function keeps a pointer it was given, except where it says so. No function is called from two threads at once
 *     on the same handle, except where it says so.
 *   - A page is 4096 bytes. Guest pages are numbered through all RAM blocks in the order they were given ("page number").
 *   - Times are CLOCK_MONOTONIC nanoseconds (the clock behind System.nanoTime on Linux).
 */
#ifndef REMUS_H
#define REMUS_H

#include <stdint.h>

#pragma GCC visibility push(default)

#define REMUS_PAGE 4096

/* ---- probe: what this kernel can do; cheap, no lasting effect ---------------------------------------------------- */

enum remus_feature {
    REMUS_WRITE_PROTECT = 1 << 0, /* asynchronous write-protect userfaultfd and PAGEMAP_SCAN (Linux 6.7) */
    REMUS_SOFT_DIRTY = 1 << 1,    /* /proc/pid/clear_refs and bit 55 of /proc/pid/pagemap; not while KSM runs */
    REMUS_SHADOW = 1 << 2,        /* comparing with a copy: process_vm_readv, always there */
    REMUS_NFT_QUEUE = 1 << 3,     /* nftables queue expression in family bridge */
    REMUS_NFT_TARGET = 1 << 4,    /* xtables NFQUEUE and physdev in families ip and ip6: does not hold ARP */
};
int64_t remus_probe(void);

/* Sets the nice value of the calling thread (-20..19). */
int remus_thread_nice(int nice);

/* ---- tracker: which pages of another process were written --------------------------------------------------------- */

struct remus_block {
    uint64_t address; /* in the address space of pid, page aligned */
    uint64_t bytes;   /* a multiple of the page size */
};

struct remus_tracker;

/*
 * kind is one of REMUS_WRITE_PROTECT, REMUS_SOFT_DIRTY, REMUS_SHADOW.
 * Every populated page counts as written at first; of a file, a memfd or other shared memory, every page.
 * A page that was never populated does not: whoever receives the pages starts from zeros.
 * REMUS_WRITE_PROTECT finds a userfaultfd that an earlier agent left in the process, or makes one there by ptrace.
 * -ESRCH: no such process. -EFAULT: a block is not mapped there. -EPERM: not allowed to trace it, or another traces it.
 * -ENOTSUP: not an x86-64 process. -EBUSY: another userfaultfd watches the same memory.
 */
int remus_tracker_open(int pid, int kind, const struct remus_block *blocks, int count, struct remus_tracker **out);

/* Moves newly written pages to the pending set and starts watching them anew. Returns the number of pending pages.
 * The guest may run, except for REMUS_SOFT_DIRTY, which must be called in a pause (see remus_pause). */
int64_t remus_tracker_scan(struct remus_tracker *tracker);

/* Pages that are pending now. */
int64_t remus_tracker_pending(const struct remus_tracker *tracker);

/* Leaves the process as it was found (userfaultfd unregistered and closed there). Works when the process is gone. */
void remus_tracker_close(struct remus_tracker *tracker);

/* ---- arena: copied pages, outside the Java heap ------------------------------------------------------------------- */

struct remus_arena;
/* bytes of pages; the table of runs comes on top. All of it is populated here, so that a pause takes no page fault. */
int remus_arena_create(int64_t bytes, struct remus_arena **out);
void remus_arena_destroy(struct remus_arena *arena);

/* Takes pending pages, as many as fit, into the emptied arena. Returns the pages left pending. The guest may run:
 * a page torn by a concurrent write is found written by the next scan. On failure the pages are pending again. */
int64_t remus_tracker_copy(struct remus_tracker *tracker, struct remus_arena *arena);

/* ---- gate: one epoch's pause (a FIFO that QEMU's xen-save-devices-state writes to) -------------------------------- */

struct remus_gate;
/* Makes the FIFO, owned by uid:gid, mode 0600, replacing a stale one. close removes it. The directory must not be
 * writable by others with the sticky bit (fs.protected_fifos would keep QEMU from opening it). */
int remus_gate_open(const char *path, int uid, int gid, struct remus_gate **out);
void remus_gate_close(struct remus_gate *gate);

enum remus_pause_result {
    REMUS_PAUSE_STOPPED_AT, /* the guest was seen stopped (IN_OPEN) */
    REMUS_PAUSE_SCAN_NS,
    REMUS_PAUSE_COPY_NS,
    REMUS_PAUSE_RESUMED_AT, /* end of file seen: QEMU restarts the guest */
    REMUS_PAUSE_PAGES,      /* in the arena; one that was copied again counts twice */
    REMUS_PAUSE_PENDING,    /* pages that did not fit */
    REMUS_PAUSE_STATE_BYTES,
    REMUS_PAUSE_MARKER, /* queue id of the last packet the guest sent, -1 without a queue */
    REMUS_PAUSE_WRITES, /* *writes when the guest had stopped, 0 without */
    REMUS_PAUSE_RESULTS
};

struct remus_queue;

/*
 * An epoch's capture begins, before the command is sent: empties the arena. Where the guest has written some pages or more
 * (REMUS_WRITE_PROTECT only), scans, so that they are copied before it stops: each that it writes again then costs it one
 * more fault, and fewer are copied as quickly in the pause. As long as it has written many pages (at least some) or more, copies
 * them at once and scans again, until three quarters of the arena are full. Returns the pages copied, or an error, after
 * which all are pending.
 */
int64_t remus_pause_begin(struct remus_tracker *tracker, struct remus_arena *arena, int64_t some, int64_t many);

/*
 * To be called as soon as the command is sent. Copies what remus_pause_begin found and left while the guest still runs, as
 * much as leaves room in the arena for all of it once more; waits at most timeout_ms for the guest to stop, notes the marker
 * of queue (may be NULL) and the count of disk writes that another thread keeps in *writes (may be NULL; QEMU's stop has
 * drained them all), scans, copies what was written since behind the rest and, when nothing is left pending, drains the
 * device state into state (capacity state_bytes) until QEMU restarts the guest. Returns 0 when the guest runs again, 1 when
 * pages are left pending AND THE GUEST STANDS STILL: the caller must then call remus_pause_more until 0, or remus_pause_abort.
 * On any failure the guest has been let go (state drained away, or the FIFO replaced so that QEMU gets EPIPE) and the
 * pages copied since remus_pause_begin are pending again, and the gate is ready for the next pause, with one exception:
 * when the guest never stopped (-ETIMEDOUT with STOPPED_AT 0), the FIFO is gone, so that a command which comes too late
 * writes a plain file there and restarts the guest by itself. Then wait for the monitor command to return, close the
 * gate and open it anew; until then it answers -EBADF.
 * -ETIMEDOUT with STOPPED_AT set: QEMU fell silent for 2 s. -ENOBUFS: state too large. -EPROTO: no device state (the
 * command failed early). Whether the state is whole only the command's reply tells: without a good reply it is none.
 */
int remus_pause(struct remus_gate *gate, struct remus_tracker *tracker, struct remus_arena *arena,
                struct remus_queue *queue, const int64_t *writes, void *state, int64_t state_bytes,
                int timeout_ms, int64_t *result);
/* As remus_pause from the copy on. STOPPED_AT, SCAN_NS, MARKER and WRITES of result stay as they are; a failure gives back the
 * pages of the whole epoch. */
int remus_pause_more(struct remus_gate *gate, struct remus_tracker *tracker, struct remus_arena *arena, void *state,
                     int64_t state_bytes, int64_t *result);
/* Lets the guest go; the epoch's pages are pending again. */
int remus_pause_abort(struct remus_gate *gate, struct remus_tracker *tracker, struct remus_arena *arena);

/* Holds the guest still for hold_ns and lets it go: brakes a guest that dirties faster than the link carries.
 * Scans meanwhile when scan is not 0 (REMUS_SOFT_DIRTY needs it). */
int remus_pause_hold(struct remus_gate *gate, struct remus_tracker *tracker, int scan, int64_t hold_ns, int timeout_ms);

/* ---- page records: arena -> bytes for the peer -> standby --------------------------------------------------------- */

struct remus_encoder;
/* cache_bytes bounds the copies of pages as last sent, which unchanged bytes are found against. */
int remus_encoder_create(int64_t cache_bytes, struct remus_encoder **out);
void remus_encoder_destroy(struct remus_encoder *encoder);
/* Forgets every page: the next standby knows none of them. Also needed, with skip_zero 0 from then on, when records were
 * made that the peer will never commit. */
void remus_encoder_reset(struct remus_encoder *encoder);

enum remus_encode_count {
    REMUS_ENCODE_ZERO,
    REMUS_ENCODE_UNCHANGED,
    REMUS_ENCODE_PATCHED,
    REMUS_ENCODE_FULL,
    REMUS_ENCODE_BYTES, /* of records, before they are packed */
    REMUS_ENCODE_COUNTS
};
/* Writes records of the arena's next pages to out (capacity at least 8192). Returns bytes written, 0 when the arena is
 * used up. Adds to counts. skip_zero leaves out zero pages that no record was made of since the reset (a fresh standby
 * is zero there already). With pack, what is written is one pack of
 * records where that is less, and then all that a chunk may hold. */
int64_t remus_encode(struct remus_encoder *encoder, struct remus_arena *arena, void *out, int64_t capacity,
                     int skip_zero, int pack, int64_t *counts);

struct remus_standby;
int remus_standby_open(int pid, const struct remus_block *blocks, int count, struct remus_standby **out);
void remus_standby_close(struct remus_standby *standby);
/* Zeroes what QEMU itself populated at start, so that "never sent" means zero. Returns pages zeroed. */
int64_t remus_standby_blank(struct remus_standby *standby);
/* Checks untrusted records (src/records.c has their layout): every length and page number, against the number of pages
 * the standby has. Returns the number of records or -EBADMSG. */
int64_t remus_records_check(const void *records, int64_t bytes, int64_t pages);
/* Writes checked records into the standby's RAM. Never give it records that were not checked. */
int remus_standby_apply(struct remus_standby *standby, const void *records, int64_t bytes);
/* Makes count pages from page on of a second standby of the same guest what they are in the first. Pages that are zero are
 * left alone: whoever blanked the second one and applies the same records to both has them zero there, too. Returns pages
 * written. -EINVAL: the two differ in size, or have no such pages. */
int64_t remus_standby_copy(const struct remus_standby *from, const struct remus_standby *to, int64_t page, int64_t count);

/* ---- device states: each packed against the one before ------------------------------------------------------------ */

#define REMUS_STATE_MOST (16 << 20) /* bytes */

struct remus_states;
/* The device states of one connection, at one end of it: it packs or it unpacks. */
int remus_states_create(struct remus_states **out);
void remus_states_destroy(struct remus_states *states);
/* Packs a state of at most REMUS_STATE_MOST bytes for a peer that unpacks all of them in order. Returns the size of *out, which is
 * valid until the next call. */
int64_t remus_states_pack(struct remus_states *states, const void *state, int64_t bytes, const void **out);
/* Unpacks untrusted bytes. The same, or -EBADMSG; the next state then has to be packed against the same one before. */
int64_t remus_states_unpack(struct remus_states *states, const void *packed, int64_t bytes, const void **out);

/* ---- hashes: whether two processes hold the same RAM ---------------------------------------------------------------- */

#define REMUS_SUM_PAGES 256

struct remus_hashes;
/* A table with a sum for each MiB of each block, the last of a block as short as it is. Every page is stale at first: its
 * hash is not that of what it holds. */
int remus_hashes_open(int pid, const struct remus_block *blocks, int count, struct remus_hashes **out);
void remus_hashes_close(struct remus_hashes *hashes);
/* Hashes at most this many stale pages where they lie. Returns the pages still stale. The guest may run: a page that is
 * written meanwhile is found written by the tracker's next scan, and must then be hashed again. Populates no page. */
int64_t remus_hashes_step(struct remus_hashes *hashes, int64_t pages);
/* Hashes the arena's pages; of one that comes twice the later copy counts. */
void remus_hashes_arena(struct remus_hashes *hashes, const struct remus_arena *arena);
/* The pages of checked records are stale: the records have been, or are about to be, applied. -ENOMEM. */
int remus_hashes_records(struct remus_hashes *hashes, const void *records, int64_t bytes);
/* Copies the sums of all blocks, in their order. Returns their number. -ENOSPC: there are more. */
int64_t remus_hashes_sums(const struct remus_hashes *hashes, uint64_t *sums, int64_t capacity);

/* ---- queue: output commit (NFQUEUE) ------------------------------------------------------------------------------- */

enum remus_queue_told {
    REMUS_QUEUE_FIRST = 1, /* the first packet since the last pause */
    REMUS_QUEUE_MUCH       /* with it, or since, REMUS_QUEUE_MUCH_BYTES of them; or it follows REMUS_QUEUE_MUCH_INPUT bytes to
                              the guest, in large packets, since the last first packet: a stream that waits for the guest's acks */
};
#define REMUS_QUEUE_MUCH_BYTES (1024 * 1024)
#define REMUS_QUEUE_MUCH_INPUT (4 * 1024)

/* Binds queue number in the calling thread's network namespace: a byte of each packet, GSO kept, no fail-open.
 * -EBUSY: another process has the queue. */
int remus_queue_open(int number, int max_packets, struct remus_queue **out);
/* What the network sends to this interface of the guest counts as its input. Before the first remus_queue_drain. */
int remus_queue_input(struct remus_queue *queue, const char *interface);
/* Reads and forgets packet notices until remus_queue_stop (any thread; returns 0), an error, or one of enum remus_queue_told,
 * each once after a pause (to be called again). Run it on a thread of its own. */
int remus_queue_drain(struct remus_queue *queue);
void remus_queue_stop(struct remus_queue *queue);
/* Id of the last packet that entered the queue; 0 before the first. Any thread. Ids are 32 bits wide and wrap. */
int64_t remus_queue_marker(struct remus_queue *queue);
/* Lets every packet up to marker go, in order, with one message. Any thread. */
int remus_queue_release(struct remus_queue *queue, int64_t marker);
enum remus_queue_count {
    REMUS_QUEUE_WAITING,
    REMUS_QUEUE_DROPPED,      /* queue full */
    REMUS_QUEUE_USER_DROPPED, /* netlink socket full */
    REMUS_QUEUE_MARKER,
    REMUS_QUEUE_COUNTS
};
int remus_queue_counts(struct remus_queue *queue, int64_t *counts);
/* Unbinds. What still waits is dropped by the kernel. */
void remus_queue_close(struct remus_queue *queue);

/* ---- plug: the rules that send a VM's output to its queue ---------------------------------------------------------- */

/* Makes table `bridge remus` with one base chain (prerouting) when missing, and a rule for the interface, in place of any
 * that was there for it. The rule has no bypass: without a listener the kernel drops. owner is kept in the rule's
 * comment as "remus:OWNER". Without REMUS_NFT_QUEUE the tables are `ip remus` and `ip6 remus`, and br_netfilter is made
 * to show them bridged packets. */
int remus_plug_add(const char *interface, int queue, const char *owner);
/* Removes every rule of owner. The chain stays while it has rules: dropping a base chain makes the kernel drop what waits
 * in every queue of the namespace. With the last rule of all, chain and table go. */
int remus_plug_remove(const char *owner);
/* Writes the owner of each rule, one a line (an owner comes as often as it has rules), with trailing NUL. Returns the
 * number of rules. -ENOSPC: text is too small. */
int remus_plug_list(char *text, int64_t capacity);

/* ---- tap: what the network sends to a guest ------------------------------------------------------------------------- */

struct remus_tap;
/* Opens a guest's tap in the calling thread's network namespace. With listen, what the bridge sends to the guest from now
 * on waits to be read, up to 8 MiB of it; what comes then is not seen. A frame here is a struct virtio_net_hdr (10 bytes)
 * and an Ethernet frame; the tag of a VLAN is not seen. -ENODEV: no such interface. */
int remus_tap_open(const char *interface, int listen, struct remus_tap **out);
/* Waits for the next frame to the guest. Returns its bytes, 0 after remus_tap_stop, -ENETDOWN when the interface is gone.
 * Frames over capacity are left out. */
int64_t remus_tap_read(struct remus_tap *tap, void *frame, int64_t capacity);
/* Ends remus_tap_read once all that has come is read. Any thread. */
void remus_tap_stop(struct remus_tap *tap);
/* Sends a frame to the guest. -EINVAL: its header makes no sense. */
int remus_tap_write(struct remus_tap *tap, const void *frame, int64_t bytes);
void remus_tap_close(struct remus_tap *tap);

/* ---- sparse: disk images with holes --------------------------------------------------------------------------------- */

struct remus_sparse;
/* Opens an existing regular file or block device. A device that is opened writable is taken exclusively, as far as the
 * kernel's own users go. -EBUSY: it is mounted, swapped to, or part of another device. -EINVAL: neither file nor device. */
int remus_sparse_open(const char *path, int writable, struct remus_sparse **out);
void remus_sparse_close(struct remus_sparse *sparse);
/* Makes a range read as zeroes, without writing it where file system or device can: any offset, any length; a file's size
 * stays. Any thread. */
int remus_sparse_zero(struct remus_sparse *sparse, int64_t at, int64_t bytes);
/* The first offset from there on that is not in a hole; the size when nothing follows but a hole. Any thread. */
int64_t remus_sparse_data(struct remus_sparse *sparse, int64_t from);
/* Makes a file what another one is, without copying, where their file system shares blocks (FICLONE, ioctl_ficlone(2)): XFS,
 * btrfs. Returns 1; 0 when it cannot be had, and nothing was changed. */
int remus_sparse_share(const struct remus_sparse *from, const struct remus_sparse *to);
/* Bytes that a file takes on its file system; a block device's size. */
int64_t remus_sparse_allocated(const char *path);

#pragma GCC visibility pop

#endif
