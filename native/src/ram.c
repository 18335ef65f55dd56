/* The guest's RAM in another process: blocks, checked against what the process has mapped there. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

int ram_proc(const struct ram *ram, const char *name, int flags) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", ram->pid, name);
    int fd = open(path, flags | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

bool ram_alive(const struct ram *ram) {
    struct pollfd exit = {.fd = ram->pidfd, .events = POLLIN};
    return poll(&exit, 1, 0) == 0;
}

/* Adds a stretch to the parts; one that continues the last of the same block and kind lengthens it.
 */
static int add_part(struct ram *ram, bool continues, uint64_t address, int64_t pages, bool file) {
    struct ram_part *last = ram->count > 0 ? &ram->parts[ram->count - 1] : NULL;
    if (continues && last != NULL && last->file == file) {
        last->pages += pages;
    } else {
        struct ram_part *parts = realloc(ram->parts, (ram->count + 1) * sizeof *parts);
        if (parts == NULL) {
            return -ENOMEM;
        }
        ram->parts = parts;
        parts[ram->count++] = (struct ram_part){address, ram->pages, pages, file};
    }
    ram->pages += pages;
    return 0;
}

/* Cuts a block where the kind of mapping changes. */
static int add_block(struct ram *ram, FILE *maps, const struct remus_block *block) {
    uint64_t at = block->address, end = at + block->bytes;
    if (at % REMUS_PAGE != 0 || block->bytes % REMUS_PAGE != 0 || block->bytes == 0 || end < at) {
        return -EINVAL;
    }
    char line[4352];
    rewind(maps);
    while (at < end && fgets(line, sizeof line, maps) != NULL) {
        uint64_t from, to, inode;
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*x %*s %" SCNu64, &from, &to, &inode) != 3 ||
            to <= at) {
            continue;
        }
        if (from > at) {
            break;
        }
        uint64_t until = to < end ? to : end;
        int error = add_part(ram, at != block->address, at, (until - at) / REMUS_PAGE, inode != 0);
        if (error < 0) {
            return error;
        }
        at = until;
    }
    return at == end ? 0 : -EFAULT;
}

int ram_open(struct ram *ram, int pid, const struct remus_block *blocks, int count) {
    *ram = (struct ram){.pid = pid, .pidfd = syscall(SYS_pidfd_open, pid, 0)};
    if (ram->pidfd < 0) {
        return -errno;
    }
    int fd = ram_proc(ram, "maps", O_RDONLY);
    FILE *maps = fd < 0 ? NULL : fdopen(fd, "r");
    int error = fd < 0 ? fd : maps == NULL ? -ENOMEM : count < 1 ? -EINVAL : 0;
    for (int i = 0; error == 0 && i < count; i++) {
        error = add_block(ram, maps, &blocks[i]);
    }
    if (error == 0 && ram->pages > UINT32_MAX) {
        error = -E2BIG; /* a record names a page with 32 bits */
    }
    if (maps != NULL) {
        fclose(maps);
    }
    if (error < 0) {
        ram_close(ram);
    }
    return error;
}

void ram_close(struct ram *ram) {
    if (ram->pidfd >= 0) {
        close(ram->pidfd);
    }
    free(ram->parts);
    *ram = (struct ram){.pidfd = -1};
}

const struct ram_part *ram_part(const struct ram *ram, int64_t page) {
    const struct ram_part *part = ram->parts;
    while (page >= part->first + part->pages) {
        part++; /* a guest has a handful of blocks */
    }
    return part;
}

uint64_t ram_address(const struct ram *ram, int64_t page, int64_t count, int64_t *run) {
    const struct ram_part *part = ram_part(ram, page);
    int64_t left = part->first + part->pages - page;
    *run = count < left ? count : left;
    return part->address + (page - part->first) * REMUS_PAGE;
}

int ram_entries(int pagemap, const struct ram_part *part,
                int (*look)(void *context, int64_t page, const uint64_t *entries, int64_t count),
                void *context) {
    uint64_t entries[4096];
    for (int64_t done = 0; done < part->pages;) {
        int64_t want = part->pages - done;
        size_t bytes = (want < 4096 ? want : 4096) * sizeof *entries;
        ssize_t got =
            pread(pagemap, entries, bytes, (part->address / REMUS_PAGE + done) * sizeof *entries);
        if (got < 0) {
            return -errno;
        }
        if (got == 0) {
            return -ESRCH; /* the address space is gone */
        }
        int64_t count = got / (ssize_t)sizeof *entries;
        int error = look(context, part->first + done, entries, count);
        if (error < 0) {
            return error;
        }
        done += count;
    }
    return 0;
}

struct wanted {
    uint64_t bits;
    int (*found)(void *context, int64_t page, int64_t count);
    void *context;
};

static int find_runs(void *context, int64_t page, const uint64_t *entries, int64_t count) {
    const struct wanted *wanted = context;
    for (int64_t i = 0; i < count; i++) {
        int64_t from = i;
        while (i < count && (entries[i] & wanted->bits) != 0) {
            i++;
        }
        int error = i > from ? wanted->found(wanted->context, page + from, i - from) : 0;
        if (error < 0) {
            return error;
        }
    }
    return 0;
}

int ram_pagemap(int pagemap, const struct ram_part *part, uint64_t bits,
                int (*found)(void *context, int64_t page, int64_t count), void *context) {
    struct wanted wanted = {bits, found, context};
    return ram_entries(pagemap, part, find_runs, &wanted);
}
