/*
 * One epoch's pause. QEMU's xen-save-devices-state stops the guest, opens the FIFO, writes the
 * device state and restarts the guest when it has closed it: whoever reads the FIFO decides how
 * long the guest stands still. The state is larger than the pipe, so QEMU cannot finish by itself.
 *
 * Each open of the FIFO is one inotify event, and each pause takes exactly one event. An event is
 * never thrown away unread, for the monitor command may be sent before the pause begins to wait.
 *
 * There is always a bounded way on: when the writer stalls, the FIFO is replaced by a new one. The
 * writer then gets EPIPE, the command fails, and QEMU restarts the guest.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STALL_MS 2000     /* a writer that is silent for so long is not coming back */
#define LATE_MS 50        /* for an open that was on its way when the FIFO was removed */
#define PIPE_BYTES 4096   /* the least the kernel gives: smaller than any device state */
#define DRAIN_BYTES 65536 /* once nothing holds the guest any more: fewer turns, 0.15 ms less */
#define STATE_MAGIC "QEVM"
#define AHEAD_PAGES 256 /* copied between two looks at the gate: 0.3 ms */

struct remus_gate {
    char *path;
    int uid;
    int gid;
    int fifo;
    int opens; /* inotify */
};

static void disarm(struct remus_gate *gate) {
    if (gate->fifo >= 0) {
        close(gate->fifo);
    }
    if (gate->opens >= 0) {
        close(gate->opens);
    }
    gate->fifo = gate->opens = -1;
}

static int arm(struct remus_gate *gate) {
    if (unlink(gate->path) < 0 && errno != ENOENT) {
        return -errno;
    }
    if (mkfifo(gate->path, 0600) < 0) {
        return -errno;
    }
    if (chown(gate->path, gate->uid, gate->gid) < 0) {
        goto err;
    }
    gate->fifo = open(gate->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    gate->opens = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (gate->fifo < 0 || gate->opens < 0 || fcntl(gate->fifo, F_SETPIPE_SZ, PIPE_BYTES) < 0 ||
        inotify_add_watch(gate->opens, gate->path, IN_OPEN) < 0) { /* after our own open */
        goto err;
    }
    return 0;
err:;
    int error = -errno;
    disarm(gate);
    unlink(gate->path);
    return error;
}

int remus_gate_open(const char *path, int uid, int gid, struct remus_gate **out) {
    struct remus_gate *gate = malloc(sizeof *gate);
    if (gate == NULL) {
        return -ENOMEM;
    }
    *gate =
        (struct remus_gate){.path = strdup(path), .uid = uid, .gid = gid, .fifo = -1, .opens = -1};
    int error = gate->path == NULL ? -ENOMEM : arm(gate);
    if (error < 0) {
        free(gate->path);
        free(gate);
        return error;
    }
    *out = gate;
    return 0;
}

void remus_gate_close(struct remus_gate *gate) {
    if (gate != NULL) {
        disarm(gate);
        unlink(gate->path);
        free(gate->path);
        free(gate);
    }
}

/* ---- the steps of a pause ---------------------------------------------------------------------
 */

/* Waits for fd; the end of the process that pidfd stands for (-1: none) ends the wait, too. */
static int wait_readable(int fd, int pidfd, int64_t deadline) {
    struct pollfd wait[] = {{.fd = fd, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
    for (;;) {
        int64_t left = (deadline - now_ns() + 999999) / 1000000;
        int ready = poll(wait, 2, left > 0 ? left : 0);
        if (ready != 0 && !(ready < 0 && errno == EINTR)) {
            return ready < 0 ? -errno : wait[0].revents != 0 ? 0 : -ESRCH;
        }
        if (ready == 0 && left <= 0) {
            return -ETIMEDOUT;
        }
    }
}

static int take_open(struct remus_gate *gate, int pidfd, int64_t deadline) {
    int error = wait_readable(gate->opens, pidfd, deadline);
    if (error < 0) {
        return error;
    }
    struct inotify_event event; /* a file's events have no name, so this reads exactly one */
    return read(gate->opens, &event, sizeof event) == sizeof event ? 0 : -EIO;
}

/* The FIFO goes, so that a command which comes too late finds none, writes a plain file there and
 * lets the guest go by itself. One that has the FIFO open gets EPIPE. */
static void give_up(struct remus_gate *gate) {
    unlink(gate->path);
    take_open(gate, -1, now_ns() + LATE_MS * 1000000ll);
    disarm(gate);
}

static bool has_stopped(const struct remus_gate *gate) {
    struct pollfd opens = {.fd = gate->opens, .events = POLLIN};
    return poll(&opens, 1, 0) != 0;
}

/*
 * What was found written is copied while the guest still runs, in the pause only what it wrote
 * since: pre-copy (Clark et al., NSDI 2005) within an epoch. The later copy of a page follows the
 * earlier one in the arena. Copies until the arena holds most pages and, with a gate, until the
 * guest has stopped there.
 */
static int64_t copy_ahead(const struct remus_gate *gate, struct remus_tracker *tracker,
                          struct remus_arena *arena, int64_t most) {
    int64_t left = remus_tracker_pending(tracker);
    while (left > 0 && arena->pages < most && !(gate != NULL && has_stopped(gate))) {
        int64_t limit = arena->pages + AHEAD_PAGES;
        left = tracker_copy_more(tracker, arena, limit < most ? limit : most);
    }
    return left;
}

/* As many as leave room for all of them once more. */
static int64_t copy_on_the_way(const struct remus_gate *gate, struct remus_tracker *tracker,
                               struct remus_arena *arena) {
    return copy_ahead(gate, tracker, arena, arena->capacity - remus_tracker_pending(tracker));
}

static int wait_stopped(struct remus_gate *gate, const struct remus_tracker *tracker,
                        int timeout_ms) {
    if (gate->opens < 0) {
        return -EBADF;
    }
    int error = take_open(gate, tracker->ram.pidfd, now_ns() + timeout_ms * 1000000ll);
    if (error < 0) {
        give_up(gate);
    }
    return error;
}

/* Reads to the end of the state. What does not fit is read too, and makes it -ENOBUFS. */
static int64_t drain(struct remus_gate *gate, uint8_t *state, int64_t capacity) {
    uint8_t rest[PIPE_BYTES];
    int64_t bytes = 0;
    for (;;) {
        int64_t room = capacity - (bytes < capacity ? bytes : capacity);
        ssize_t got = read(gate->fifo, room > 0 ? state + bytes : rest,
                           room > 0 ? (size_t)room : sizeof rest);
        if (got > 0) {
            bytes += got;
        } else if (got == 0) {
            return bytes > capacity ? -ENOBUFS : bytes;
        } else if (errno == EAGAIN) {
            int error = wait_readable(gate->fifo, -1, now_ns() + STALL_MS * 1000000ll);
            if (error < 0) {
                return error;
            }
        } else if (errno != EINTR) {
            return -errno;
        }
    }
}

/* A new FIFO in place of the one that a writer may still have open. */
static int replace(struct remus_gate *gate) {
    disarm(gate);
    return arm(gate);
}

static int let_go(struct remus_gate *gate) {
    int64_t drained = drain(gate, NULL, 0);
    return drained >= 0 || drained == -ENOBUFS ? 0 : replace(gate);
}

/* Copies, and when nothing is left, takes the state and with it lets the guest go. */
static int64_t copy_and_drain(struct remus_gate *gate, struct remus_tracker *tracker,
                              struct remus_arena *arena, void *state, int64_t state_bytes,
                              int64_t *result) {
    int64_t begin = now_ns();
    int64_t pending = tracker_copy_more(tracker, arena, arena->capacity);
    result[REMUS_PAUSE_COPY_NS] = now_ns() - begin;
    if (pending < 0) {
        let_go(gate);
        return pending;
    }
    result[REMUS_PAUSE_PAGES] = arena->pages;
    result[REMUS_PAUSE_PENDING] = pending;
    if (pending > 0) {
        return 1;
    }
    fcntl(gate->fifo, F_SETPIPE_SZ, DRAIN_BYTES);
    int64_t bytes = drain(gate, state, state_bytes);
    result[REMUS_PAUSE_RESUMED_AT] = now_ns();
    bool ended = bytes >= 0 || bytes == -ENOBUFS;
    if (!ended || fcntl(gate->fifo, F_SETPIPE_SZ, PIPE_BYTES) < 0) {
        replace(gate); /* a pipe that could take a whole state would hold no guest */
    }
    if (bytes < 0) {
        return bytes;
    }
    result[REMUS_PAUSE_STATE_BYTES] = bytes;
    bool whole = bytes >= (int64_t)strlen(STATE_MAGIC) &&
                 memcmp(state, STATE_MAGIC, strlen(STATE_MAGIC)) == 0;
    return whole ? 0 : -EPROTO;
}

/* The epoch failed and the guest runs: nothing of it counts. */
static int fail(struct remus_tracker *tracker, struct remus_arena *arena, int error) {
    arena_empty(arena);
    tracker_give_back(tracker);
    return error;
}

/* ---- the interface ----------------------------------------------------------------------------
 */

int64_t remus_pause_begin(struct remus_tracker *tracker, struct remus_arena *arena, int64_t some,
                          int64_t many) {
    const int64_t most = arena->capacity - arena->capacity / 4;
    arena_empty(arena);
    tracker_begin(tracker);
    int64_t written = tracker->kind->look == NULL ? 0 : tracker->kind->look(tracker, some);
    written = written < some ? written : remus_tracker_scan(tracker);
    while (written >= many && arena->pages < most) {
        int64_t left = copy_ahead(NULL, tracker, arena, most);
        written = left < 0 ? left : remus_tracker_scan(tracker);
    }
    return written < 0 ? fail(tracker, arena, (int)written) : arena->pages;
}

int remus_pause(struct remus_gate *gate, struct remus_tracker *tracker, struct remus_arena *arena,
                struct remus_queue *queue, const int64_t *writes, void *state, int64_t state_bytes,
                int timeout_ms, int64_t *result) {
    memset(result, 0, REMUS_PAUSE_RESULTS * sizeof *result);
    int64_t ahead = copy_on_the_way(gate, tracker, arena);
    int64_t error = wait_stopped(gate, tracker, timeout_ms);
    if (error < 0) {
        return fail(tracker, arena, error);
    }
    result[REMUS_PAUSE_STOPPED_AT] = now_ns();
    result[REMUS_PAUSE_MARKER] = queue == NULL ? -1 : remus_queue_marker(queue);
    result[REMUS_PAUSE_WRITES] = writes == NULL ? 0 : __atomic_load_n(writes, __ATOMIC_ACQUIRE);
    error = ahead < 0                                         ? ahead
            : queue != NULL && result[REMUS_PAUSE_MARKER] < 0 ? result[REMUS_PAUSE_MARKER]
                                                              : 0;
    if (error < 0) {
        let_go(gate);
        return fail(tracker, arena, error);
    }
    if (queue != NULL) {
        queue_watch(queue); /* what comes now belongs to the next epoch */
    }
    int64_t begin = now_ns();
    error = remus_tracker_scan(tracker);
    result[REMUS_PAUSE_SCAN_NS] = now_ns() - begin;
    if (error < 0) {
        let_go(gate);
        return fail(tracker, arena, error);
    }
    error = copy_and_drain(gate, tracker, arena, state, state_bytes, result);
    return error < 0 ? fail(tracker, arena, error) : error;
}

int remus_pause_more(struct remus_gate *gate, struct remus_tracker *tracker,
                     struct remus_arena *arena, void *state, int64_t state_bytes, int64_t *result) {
    arena_empty(arena);
    int64_t error = copy_and_drain(gate, tracker, arena, state, state_bytes, result);
    return error < 0 ? fail(tracker, arena, error) : error;
}

int remus_pause_abort(struct remus_gate *gate, struct remus_tracker *tracker,
                      struct remus_arena *arena) {
    return fail(tracker, arena, let_go(gate));
}

int remus_pause_hold(struct remus_gate *gate, struct remus_tracker *tracker, int scan,
                     int64_t hold_ns, int timeout_ms) {
    int error = wait_stopped(gate, tracker, timeout_ms);
    if (error < 0) {
        return error;
    }
    int64_t until = now_ns() + hold_ns;
    int64_t scanned = scan ? remus_tracker_scan(tracker) : 0;
    struct timespec deadline = {until / 1000000000, until % 1000000000};
    while (scanned >= 0 &&
           clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) == EINTR) {
    }
    error = let_go(gate);
    return scanned < 0 ? scanned : error;
}
