/* What the parts of the library share. Nothing here is exported. */
#ifndef REMUS_INTERNAL_H
#define REMUS_INTERNAL_H

#include "remus.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define REMUS_IOVECS 1024 /* the kernel's limit for one call */

int64_t now_ns(void);

/* ---- ram: the guest's RAM in another process, as one space of page numbers --------------------
 */

/* A stretch of one block that is either wholly anonymous or wholly backed by a file (or shmem). */
struct ram_part {
    uint64_t address;
    int64_t first; /* page number */
    int64_t pages;
    bool file;
};

struct ram {
    int pid;
    int pidfd; /* tells a dead process from another that was given the same pid */
    int count;
    int64_t pages;
    struct ram_part *parts;
};

/* -EINVAL: not page aligned. -EFAULT: the process has nothing mapped there. -ESRCH: no process. */
int ram_open(struct ram *ram, int pid, const struct remus_block *blocks, int count);
void ram_close(struct ram *ram);
bool ram_alive(const struct ram *ram);
/* The part that page lies in. */
const struct ram_part *ram_part(const struct ram *ram, int64_t page);
/* Where page is; *run tells how many of the count pages from there on follow it in one piece. */
uint64_t ram_address(const struct ram *ram, int64_t page, int64_t count, int64_t *run);
/* Opens /proc/PID/name. */
int ram_proc(const struct ram *ram, const char *name, int flags);
/* Calls look with the /proc/PID/pagemap entries of all of the part's pages, in pieces. */
int ram_entries(int pagemap, const struct ram_part *part,
                int (*look)(void *context, int64_t page, const uint64_t *entries, int64_t count),
                void *context);
/* Calls found for each of the part's pages whose /proc/PID/pagemap entry has one of the bits. */
int ram_pagemap(int pagemap, const struct ram_part *part, uint64_t bits,
                int (*found)(void *context, int64_t page, int64_t count), void *context);
#define PAGEMAP_SOFT_DIRTY (1ull << 55)
#define PAGEMAP_EXCLUSIVE (1ull << 56) /* mapped here alone: the zero page never is */
#define PAGEMAP_SWAPPED (1ull << 62)
#define PAGEMAP_POPULATED (3ull << 62) /* present or swapped */

/* ---- inject: one system call, made by another process -----------------------------------------
 */

/*
 * Makes the main thread of pid run a system call, as if it had been its own idea: the thread's
 * registers, signal mask and interrupted system call are put back. Returns the call's result, or
 * -EPERM (may not trace, or traced by another), -ESRCH, -ETIMEDOUT, -ENOTSUP (not x86-64).
 */
long inject(int pid, long number, long argument);

/* ---- arena ------------------------------------------------------------------------------------
 */

struct arena_run {
    int64_t page;
    int64_t count;
};

struct remus_arena {
    uint8_t *data;
    struct arena_run *runs;
    int64_t capacity; /* pages */
    int64_t pages;
    int64_t run_count;
    /* What remus_encode reads next. */
    int64_t next_run;
    int64_t next_in_run;
    int64_t next_page; /* counts through data */
};

void arena_empty(struct remus_arena *arena);
/* Takes count pages from page on, or as many as fit; returns how many. */
int64_t arena_add(struct remus_arena *arena, int64_t page, int64_t count);

/* ---- tracker ----------------------------------------------------------------------------------
 */

struct tracker_kind {
    int (*open)(struct remus_tracker *tracker);
    int (*scan)(struct remus_tracker *tracker);
    /* Told of each run copied; may be NULL. */
    void (*copied)(struct remus_tracker *tracker, int64_t page, int64_t count, const uint8_t *data);
    /* The number of written pages not yet found by a scan, most at most, while the guest runs. NULL
     * where a scan is not cheap or not right then. */
    int64_t (*look)(struct remus_tracker *tracker, int64_t most);
    void (*close)(struct remus_tracker *tracker); /* after a failed open too */
};
extern const struct tracker_kind tracker_write_protect, tracker_soft_dirty, tracker_shadow;

struct remus_tracker {
    const struct tracker_kind *kind;
    struct ram ram;
    uint64_t *pending; /* written and not yet copied */
    uint64_t *taken;   /* copied since tracker_begin */
    uint64_t *there;   /* had contents at the last scan, as far as the kind looks for that */
    int64_t pending_pages;
    void *own; /* of the kind */
};

void tracker_mark(struct remus_tracker *tracker, int64_t page, int64_t count);
bool tracker_is_pending(const struct remus_tracker *tracker, int64_t page);
/* These pages have contents. */
void tracker_there(struct remus_tracker *tracker, int64_t page, int64_t count);
/* These have none: those that had some at the last scan were discarded (a balloon) and are zero. */
void tracker_gone(struct remus_tracker *tracker, int64_t page, int64_t count);
/* Copies pending pages behind those that the arena holds, until it holds limit. Returns the pages
 * left pending; a failure leaves both as they were. */
int64_t tracker_copy_more(struct remus_tracker *tracker, struct remus_arena *arena, int64_t limit);
/* An epoch's capture begins: from here on, what is copied can be given back. */
void tracker_begin(struct remus_tracker *tracker);
/* The epoch is not to be: what was copied since tracker_begin is pending again. */
void tracker_give_back(struct remus_tracker *tracker);

/* Whether the kernel merges equal pages now (Documentation/admin-guide/mm/ksm.rst). */
bool ksm_runs(void);

/* ---- hashes -----------------------------------------------------------------------------------
 */

/* XXH64 of one page. */
uint64_t hash_page(const uint8_t *page, uint64_t seed);

/* ---- queue: the first packet after a pause -----------------------------------------------------
 */

/* The next packet ends remus_queue_drain. Any thread. */
void queue_watch(struct remus_queue *queue);

/* ---- input: how much the network has sent to a guest ------------------------------------------
 */

#define INPUT_MOST 8

struct mnl_socket;
struct input {
    struct mnl_socket *socket;
    int count;
    unsigned interfaces[INPUT_MOST];
    struct traffic {
        uint64_t bytes, packets;
    } seen;
};
/* Counts what goes to the interface from now on, in the calling thread's network namespace. */
int input_add(struct input *input, const char *interface);
/* Whether REMUS_QUEUE_MUCH_INPUT bytes have come since the last call, in large packets. */
bool input_streams(struct input *input);
void input_close(struct input *input);

/* ---- plug: which expression sends to the queue ------------------------------------------------
 */

/* Tries a rule with the expression of feature (REMUS_NFT_*) in the calling thread's namespace. */
int plug_try(int feature);

#endif
