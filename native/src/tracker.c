/* What all ways of tracking have in common: which pages are pending, and how they get into an
 * arena. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t bitmap_words(const struct remus_tracker *tracker) {
    return (tracker->ram.pages + 63) / 64;
}

int remus_tracker_open(int pid, int kind, const struct remus_block *blocks, int count,
                       struct remus_tracker **out) {
    struct remus_tracker *tracker = calloc(1, sizeof *tracker);
    if (tracker == NULL) {
        return -ENOMEM;
    }
    int error = ram_open(&tracker->ram, pid, blocks, count);
    if (error < 0) {
        free(tracker);
        return error;
    }
    tracker->pending = calloc(bitmap_words(tracker), sizeof *tracker->pending);
    tracker->taken = calloc(bitmap_words(tracker), sizeof *tracker->taken);
    tracker->there = calloc(bitmap_words(tracker), sizeof *tracker->there);
    const struct tracker_kind *kinds = kind == REMUS_WRITE_PROTECT ? &tracker_write_protect
                                       : kind == REMUS_SOFT_DIRTY  ? &tracker_soft_dirty
                                       : kind == REMUS_SHADOW      ? &tracker_shadow
                                                                   : NULL;
    if (kinds == NULL) {
        error = -EINVAL;
    } else if (tracker->pending == NULL || tracker->taken == NULL || tracker->there == NULL) {
        error = -ENOMEM;
    } else {
        tracker->kind = kinds;
        error = kinds->open(tracker);
    }
    if (error < 0) {
        remus_tracker_close(tracker);
        return error;
    }
    *out = tracker;
    return 0;
}

void remus_tracker_close(struct remus_tracker *tracker) {
    if (tracker == NULL) {
        return;
    }
    if (tracker->kind != NULL) {
        tracker->kind->close(tracker);
    }
    ram_close(&tracker->ram);
    free(tracker->pending);
    free(tracker->taken);
    free(tracker->there);
    free(tracker);
}

int64_t remus_tracker_scan(struct remus_tracker *tracker) {
    if (!ram_alive(&tracker->ram)) {
        return -ESRCH;
    }
    int error = tracker->kind->scan(tracker);
    return error < 0 ? error : tracker->pending_pages;
}

int64_t remus_tracker_pending(const struct remus_tracker *tracker) {
    return tracker->pending_pages;
}

/* The bits of word that lie in [page, end), for a walk that starts at page. */
static uint64_t word_mask(int64_t page, int64_t end) {
    uint64_t mask = ~0ull << page % 64;
    int64_t last = (page | 63) + 1;
    return end < last ? mask & ~(~0ull << end % 64) : mask;
}

void tracker_mark(struct remus_tracker *tracker, int64_t page, int64_t count) {
    for (int64_t end = page + count; page < end; page = (page | 63) + 1) {
        uint64_t mask = word_mask(page, end) & ~tracker->pending[page / 64];
        tracker->pending[page / 64] |= mask;
        tracker->pending_pages += __builtin_popcountll(mask);
    }
}

bool tracker_is_pending(const struct remus_tracker *tracker, int64_t page) {
    return tracker->pending[page / 64] >> page % 64 & 1;
}

void tracker_there(struct remus_tracker *tracker, int64_t page, int64_t count) {
    for (int64_t end = page + count; page < end; page = (page | 63) + 1) {
        tracker->there[page / 64] |= word_mask(page, end);
    }
}

void tracker_gone(struct remus_tracker *tracker, int64_t page, int64_t count) {
    for (int64_t end = page + count; page < end; page = (page | 63) + 1) {
        uint64_t mask = word_mask(page, end) & tracker->there[page / 64];
        tracker->there[page / 64] &= ~mask;
        mask &= ~tracker->pending[page / 64];
        tracker->pending[page / 64] |= mask;
        tracker->pending_pages += __builtin_popcountll(mask);
    }
}

/* All of these pages are pending. */
static void take(struct remus_tracker *tracker, int64_t page, int64_t count) {
    tracker->pending_pages -= count;
    for (int64_t end = page + count; page < end; page = (page | 63) + 1) {
        uint64_t mask = word_mask(page, end);
        tracker->pending[page / 64] &= ~mask;
        tracker->taken[page / 64] |= mask;
    }
}

void tracker_begin(struct remus_tracker *tracker) {
    memset(tracker->taken, 0, bitmap_words(tracker) * sizeof *tracker->taken);
}

void tracker_give_back(struct remus_tracker *tracker) {
    for (size_t word = 0; word < bitmap_words(tracker); word++) {
        uint64_t mask = tracker->taken[word] & ~tracker->pending[word];
        tracker->pending[word] |= mask;
        tracker->pending_pages += __builtin_popcountll(mask);
    }
    tracker_begin(tracker);
}

/* The first page from page on whose pending bit is set (flip 0) or clear (flip ~0). */
static int64_t find(const struct remus_tracker *tracker, int64_t page, uint64_t flip) {
    for (; page < tracker->ram.pages; page = (page | 63) + 1) {
        uint64_t word = (tracker->pending[page / 64] ^ flip) & ~0ull << page % 64;
        if (word != 0) {
            page = page / 64 * 64 + __builtin_ctzll(word);
            break;
        }
    }
    return page < tracker->ram.pages ? page : tracker->ram.pages;
}

/* Reads the arena's runs from first on, to data, with as few calls as the kernel allows. */
static int read_runs(struct remus_tracker *tracker, struct remus_arena *arena, int64_t first,
                     uint8_t *data) {
    const size_t most = 1u << 30; /* the kernel moves less than 2 GiB at once */
    struct iovec remote[REMUS_IOVECS];
    int used = 0;
    struct iovec local = {data, 0};
    for (int64_t i = first; i < arena->run_count; i++) {
        struct arena_run run = arena->runs[i];
        while (run.count > 0) {
            int64_t pages;
            int64_t want =
                run.count < (int64_t)(most / REMUS_PAGE) ? run.count : (int64_t)(most / REMUS_PAGE);
            uint64_t address = ram_address(&tracker->ram, run.page, want, &pages);
            remote[used++] = (struct iovec){(void *)address, pages * REMUS_PAGE};
            local.iov_len += pages * REMUS_PAGE;
            run.page += pages;
            run.count -= pages;
            bool last = i == arena->run_count - 1 && run.count == 0;
            if (!last && used < REMUS_IOVECS && local.iov_len < most / 2) {
                continue;
            }
            ssize_t got = process_vm_readv(tracker->ram.pid, &local, 1, remote, used, 0);
            if (got != (ssize_t)local.iov_len) {
                return got < 0 ? -errno : -EFAULT;
            }
            local = (struct iovec){(uint8_t *)local.iov_base + local.iov_len, 0};
            used = 0;
        }
    }
    return 0;
}

int64_t tracker_copy_more(struct remus_tracker *tracker, struct remus_arena *arena, int64_t limit) {
    const int64_t first = arena->run_count, held = arena->pages;
    uint8_t *data = arena->data + held * REMUS_PAGE;
    if (!ram_alive(&tracker->ram)) {
        return -ESRCH;
    }
    limit = limit < arena->capacity ? limit : arena->capacity;
    int64_t page = find(tracker, 0, 0);
    while (page < tracker->ram.pages && arena->pages < limit) {
        int64_t end = find(tracker, page, ~0ull), room = limit - arena->pages;
        arena_add(arena, page, end - page < room ? end - page : room);
        page = find(tracker, end, 0);
    }
    int error = read_runs(tracker, arena, first, data);
    if (error < 0) {
        arena->run_count = first;
        arena->pages = held;
        return error;
    }
    for (int64_t i = first; i < arena->run_count; i++) {
        struct arena_run run = arena->runs[i];
        if (tracker->kind->copied != NULL) {
            tracker->kind->copied(tracker, run.page, run.count, data);
        }
        take(tracker, run.page, run.count);
        data += run.count * REMUS_PAGE;
    }
    return tracker->pending_pages;
}

int64_t remus_tracker_copy(struct remus_tracker *tracker, struct remus_arena *arena) {
    arena_empty(arena);
    return tracker_copy_more(tracker, arena, arena->capacity);
}
