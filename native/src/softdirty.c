/* Tracking by soft-dirty bits (Documentation/admin-guide/mm/soft-dirty.rst): the guest must stand
 * still. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct soft_dirty {
    int pagemap;
    int clear_refs;
    bool scanned;
    bool ksm_ran; /* at the last scan */
};

static int open_soft_dirty(struct remus_tracker *tracker) {
    struct soft_dirty *own = calloc(1, sizeof *own);
    if (own == NULL) {
        return -ENOMEM;
    }
    tracker->own = own;
    own->pagemap = ram_proc(&tracker->ram, "pagemap", O_RDONLY);
    own->clear_refs = ram_proc(&tracker->ram, "clear_refs", O_WRONLY);
    return own->pagemap < 0 ? own->pagemap : own->clear_refs < 0 ? own->clear_refs : 0;
}

bool ksm_runs(void) {
    char run = '0';
    int fd = open("/sys/kernel/mm/ksm/run", O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd < 0 ? 0 : read(fd, &run, 1);
    if (fd >= 0) {
        close(fd);
    }
    return bytes == 1 && run == '1';
}

struct look {
    struct remus_tracker *tracker;
    uint64_t written; /* any of these bits */
    bool file;
};

/*
 * A page that is discarded (madvise(2), MADV_DONTNEED: QEMU does it for a balloon) is zero from
 * then on and not soft-dirty, not even when it is read again and the zero page is mapped there. It
 * has no contents of its own any more, by which it is found.
 */
static bool has_contents(uint64_t entry, bool file) {
    uint64_t own = PAGEMAP_POPULATED & ~PAGEMAP_SWAPPED;
    return (entry & PAGEMAP_SWAPPED) != 0 ||
           ((entry & own) != 0 && (file || (entry & PAGEMAP_EXCLUSIVE) != 0));
}

static int look_at(void *context, int64_t page, const uint64_t *entries, int64_t count) {
    const struct look *look = context;
    for (int64_t i = 0; i < count;) {
        const int64_t from = i;
        const bool written = (entries[i] & look->written) != 0;
        const bool there = has_contents(entries[i], look->file);
        while (i < count && written == ((entries[i] & look->written) != 0) &&
               there == has_contents(entries[i], look->file)) {
            i++;
        }
        if (written) {
            tracker_mark(look->tracker, page + from, i - from);
        }
        (there ? tracker_there : tracker_gone)(look->tracker, page + from, i - from);
    }
    return 0;
}

static int scan_soft_dirty(struct remus_tracker *tracker) {
    struct soft_dirty *own = tracker->own;
    /* KSM puts a page of its own in the place of one that was written and is like others, and the
     * new one is not soft-dirty: while it runs, every page may have been written. */
    bool hidden = ksm_runs();
    bool was_hidden = own->ksm_ran;
    own->ksm_ran = hidden;
    for (int i = 0; i < tracker->ram.count; i++) {
        const struct ram_part *part = &tracker->ram.parts[i];
        if (!own->scanned && part->file) {
            /* Absent from the page table does not mean that the file is empty there. */
            tracker_mark(tracker, part->first, part->pages);
        }
        bool all = !own->scanned || hidden || was_hidden;
        struct look look = {tracker, all ? PAGEMAP_POPULATED : PAGEMAP_SOFT_DIRTY, part->file};
        int error = ram_entries(own->pagemap, part, look_at, &look);
        if (error < 0) {
            return error;
        }
    }
    if (pwrite(own->clear_refs, "4", 1, 0) != 1) {
        return -errno;
    }
    own->scanned = true;
    return 0;
}

static void close_soft_dirty(struct remus_tracker *tracker) {
    struct soft_dirty *own = tracker->own;
    if (own == NULL) {
        return;
    }
    if (own->pagemap >= 0) {
        close(own->pagemap);
    }
    if (own->clear_refs >= 0) {
        close(own->clear_refs);
    }
    free(own);
}

const struct tracker_kind tracker_soft_dirty = {
    .open = open_soft_dirty,
    .scan = scan_soft_dirty,
    .close = close_soft_dirty,
};
