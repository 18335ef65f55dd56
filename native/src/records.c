/*
 * Checks and applies page records. All numbers are big-endian.
 *
 *      0        4      6      8
 *     +--------+------+------+------------------------------------------------+
 *     |  page  | kind |  n   | payload                                        |
 *     +--------+------+------+------------------------------------------------+
 *
 *     ZERO   1   n pages are zero from page on; no payload
 *     FULL   2   n pages from page on; payload n * 4096 bytes
 *     PATCH  3   one page; payload n bytes: runs of u16 offset, u16 length (at least 1), bytes;
 *                runs ascend and do not overlap
 */
#include "records.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- check ------------------------------------------------------------------------------------
 */

static bool check_patch(const uint8_t *runs, int64_t bytes) {
    int64_t end = 0; /* of the last run */
    while (bytes > PATCH_RUN_BYTES) {
        int64_t offset = read_u16(runs), length = read_u16(runs + 2);
        if (offset < end || length < 1 || offset + length > REMUS_PAGE ||
            length > bytes - PATCH_RUN_BYTES) {
            return false;
        }
        end = offset + length;
        runs += PATCH_RUN_BYTES + length;
        bytes -= PATCH_RUN_BYTES + length;
    }
    return bytes == 0;
}

int64_t remus_records_check(const void *records, int64_t bytes, int64_t pages) {
    const uint8_t *at = records;
    int64_t count = 0;
    while (bytes > 0) {
        if (bytes < RECORD_BYTES) {
            return -EBADMSG;
        }
        int64_t page = read_u32(at), n = read_u16(at + 6), touched, payload;
        int kind = read_u16(at + 4);
        switch (kind) {
        case RECORD_ZERO:
            touched = n;
            payload = 0;
            break;
        case RECORD_FULL:
            touched = n;
            payload = n * REMUS_PAGE;
            break;
        case RECORD_PATCH:
            touched = 1;
            payload = n;
            break;
        default:
            return -EBADMSG;
        }
        at += RECORD_BYTES;
        bytes -= RECORD_BYTES;
        if (n == 0 || page + touched > pages || payload > bytes) {
            return -EBADMSG;
        }
        if (kind == RECORD_PATCH && !check_patch(at, n)) {
            return -EBADMSG;
        }
        at += payload;
        bytes -= payload;
        count++;
    }
    return count;
}

/* ---- apply ------------------------------------------------------------------------------------
 */

struct remus_standby {
    struct ram ram;
};

#define ZERO_PAGES 16
static uint8_t zeros[ZERO_PAGES * REMUS_PAGE];

/* Pieces to write, gathered for one call. */
struct batch {
    const struct ram *ram;
    int count;
    int64_t bytes;
    struct iovec local[REMUS_IOVECS];
    struct iovec remote[REMUS_IOVECS];
};

static int flush(struct batch *batch) {
    if (batch->count == 0) {
        return 0;
    }
    if (!ram_alive(batch->ram)) {
        return -ESRCH;
    }
    ssize_t done = process_vm_writev(batch->ram->pid, batch->local, batch->count, batch->remote,
                                     batch->count, 0);
    int error = done < 0 ? -errno : done != batch->bytes ? -EIO : 0;
    batch->count = 0;
    batch->bytes = 0;
    return error;
}

static int add(struct batch *batch, const uint8_t *data, uint64_t address, int64_t bytes) {
    batch->local[batch->count] = (struct iovec){(void *)data, bytes};
    batch->remote[batch->count] = (struct iovec){(void *)address, bytes};
    batch->bytes += bytes;
    return ++batch->count == REMUS_IOVECS ? flush(batch) : 0;
}

static int add_full(struct batch *batch, int64_t page, int64_t count, const uint8_t *data) {
    while (count > 0) {
        int64_t run;
        uint64_t address = ram_address(batch->ram, page, count, &run);
        int error = add(batch, data, address, run * REMUS_PAGE);
        if (error < 0) {
            return error;
        }
        data += run * REMUS_PAGE;
        page += run;
        count -= run;
    }
    return 0;
}

static int add_zeros(struct batch *batch, int64_t page, int64_t count) {
    while (count > 0) {
        int64_t pages = count < ZERO_PAGES ? count : ZERO_PAGES;
        int error = add_full(batch, page, pages, zeros);
        if (error < 0) {
            return error;
        }
        page += pages;
        count -= pages;
    }
    return 0;
}

static int add_patch(struct batch *batch, int64_t page, const uint8_t *runs, int64_t bytes) {
    int64_t one;
    uint64_t address = ram_address(batch->ram, page, 1, &one);
    for (const uint8_t *end = runs + bytes; runs < end;) {
        int64_t length = read_u16(runs + 2);
        int error = add(batch, runs + PATCH_RUN_BYTES, address + read_u16(runs), length);
        if (error < 0) {
            return error;
        }
        runs += PATCH_RUN_BYTES + length;
    }
    return 0;
}

int remus_standby_apply(struct remus_standby *standby, const void *records, int64_t bytes) {
    struct batch batch;
    batch.ram = &standby->ram;
    batch.count = 0;
    batch.bytes = 0;
    int error = 0;
    const uint8_t *at = records;
    for (const uint8_t *end = at + bytes; error == 0 && at < end;) {
        int64_t page = read_u32(at), n = read_u16(at + 6);
        int kind = read_u16(at + 4);
        at += RECORD_BYTES;
        if (kind == RECORD_ZERO) {
            error = add_zeros(&batch, page, n);
        } else if (kind == RECORD_FULL) {
            error = add_full(&batch, page, n, at);
            at += n * REMUS_PAGE;
        } else {
            error = add_patch(&batch, page, at, n);
            at += n;
        }
    }
    return error < 0 ? error : flush(&batch);
}

/* ---- the standby ------------------------------------------------------------------------------
 */

int remus_standby_open(int pid, const struct remus_block *blocks, int count,
                       struct remus_standby **out) {
    struct remus_standby *standby = malloc(sizeof *standby);
    if (standby == NULL) {
        return -ENOMEM;
    }
    int error = ram_open(&standby->ram, pid, blocks, count);
    if (error < 0) {
        free(standby);
        return error;
    }
    *out = standby;
    return 0;
}

void remus_standby_close(struct remus_standby *standby) {
    if (standby != NULL) {
        ram_close(&standby->ram);
        free(standby);
    }
}

struct blanking {
    struct batch batch;
    int64_t pages;
};

static int blank(void *context, int64_t page, int64_t count) {
    struct blanking *blanking = context;
    blanking->pages += count;
    return add_zeros(&blanking->batch, page, count);
}

int64_t remus_standby_blank(struct remus_standby *standby) {
    int pagemap = ram_proc(&standby->ram, "pagemap", O_RDONLY);
    if (pagemap < 0) {
        return pagemap;
    }
    struct blanking blanking = {.batch = {.ram = &standby->ram}};
    int error = 0;
    for (int i = 0; error == 0 && i < standby->ram.count; i++) {
        error = ram_pagemap(pagemap, &standby->ram.parts[i], PAGEMAP_POPULATED, blank, &blanking);
    }
    if (error == 0) {
        error = flush(&blanking.batch);
    }
    close(pagemap);
    return error < 0 ? error : blanking.pages;
}
