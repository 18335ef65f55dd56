/* Tracking by comparing with a copy of all RAM: works on any kernel, and costs time and memory as
 * RAM grows. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PIECE_PAGES 256

struct shadow {
    uint8_t *copy; /* as last copied to an arena; at first zero, and then it takes no memory */
    uint8_t piece[PIECE_PAGES * REMUS_PAGE];
};

static int open_shadow(struct remus_tracker *tracker) {
    struct shadow *own = malloc(sizeof *own);
    if (own == NULL) {
        return -ENOMEM;
    }
    own->copy = mmap(NULL, tracker->ram.pages * REMUS_PAGE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (own->copy == MAP_FAILED) {
        free(own);
        return -ENOMEM;
    }
    madvise(own->copy, tracker->ram.pages * REMUS_PAGE, MADV_DONTDUMP);
    tracker->own = own;
    return 0;
}

static int scan_shadow(struct remus_tracker *tracker) {
    struct shadow *own = tracker->own;
    for (int64_t page = 0; page < tracker->ram.pages;) {
        int64_t left = tracker->ram.pages - page, run;
        uint64_t address =
            ram_address(&tracker->ram, page, left < PIECE_PAGES ? left : PIECE_PAGES, &run);
        struct iovec local = {own->piece, run * REMUS_PAGE};
        struct iovec remote = {(void *)address, run * REMUS_PAGE};
        ssize_t got = process_vm_readv(tracker->ram.pid, &local, 1, &remote, 1, 0);
        if (got != (ssize_t)local.iov_len) {
            return got < 0 ? -errno : -EFAULT;
        }
        for (int64_t i = 0; i < run; i++) {
            const uint8_t *known = own->copy + (page + i) * REMUS_PAGE;
            if (!tracker_is_pending(tracker, page + i) &&
                memcmp(own->piece + i * REMUS_PAGE, known, REMUS_PAGE) != 0) {
                tracker_mark(tracker, page + i, 1);
            }
        }
        page += run;
    }
    return 0;
}

/* What was copied is what later scans compare with: a page torn by a write differs from it then. */
static void copied_shadow(struct remus_tracker *tracker, int64_t page, int64_t count,
                          const uint8_t *data) {
    struct shadow *own = tracker->own;
    memcpy(own->copy + page * REMUS_PAGE, data, count * REMUS_PAGE);
}

static void close_shadow(struct remus_tracker *tracker) {
    struct shadow *own = tracker->own;
    if (own != NULL) {
        munmap(own->copy, tracker->ram.pages * REMUS_PAGE);
        free(own);
    }
}

const struct tracker_kind tracker_shadow = {
    .open = open_shadow,
    .scan = scan_shadow,
    .copied = copied_shadow,
    .close = close_shadow,
};
