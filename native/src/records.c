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
 *     PACKED 4   all records of the chunk, packed (pack.c)
 */
#include "records.h"
#include "internal.h"
#include "pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
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

static int64_t check(const uint8_t *at, int64_t bytes, int64_t pages) {
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

int64_t remus_records_check(const void *records, int64_t bytes, int64_t pages) {
    struct unpacked unpacked;
    int64_t count = unpack(records, bytes, &unpacked);
    if (count == 0) {
        count = check(unpacked.records, unpacked.bytes, pages);
        unpacked_free(&unpacked);
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

/*
 * A piece of a page costs the kernel as much as the whole page: 1 us to find and pin it. So a page
 * with more than a few runs is read, patched here and written back, two pieces in place of many.
 * Nobody else writes to the standby.
 */
#define FEW_RUNS 2
#define MENDED_PAGES 32

/* Pieces to write, gathered for one call, of pages that ascend. */
struct batch {
    const struct ram *ram;
    int64_t next_page; /* higher than every page in here */
    int count;
    int64_t bytes;
    struct iovec local[REMUS_IOVECS];
    struct iovec remote[REMUS_IOVECS];
    int mended;
    struct iovec mended_remote[MENDED_PAGES];
    const uint8_t *runs[MENDED_PAGES], *runs_end[MENDED_PAGES];
};

static int move(const struct ram *ram,
                ssize_t (*call)(pid_t, const struct iovec *, unsigned long, const struct iovec *,
                                unsigned long, unsigned long),
                const struct iovec *local, int local_count, const struct iovec *remote, int count,
                int64_t bytes) {
    if (count == 0) {
        return 0;
    }
    ssize_t done = call(ram->pid, local, local_count, remote, count, 0);
    return done < 0 ? -errno : done != bytes ? -EIO : 0;
}

static void patch(uint8_t *page, const uint8_t *runs, const uint8_t *end) {
    while (runs < end) {
        int64_t length = read_u16(runs + 2);
        memcpy(page + read_u16(runs), runs + PATCH_RUN_BYTES, length);
        runs += PATCH_RUN_BYTES + length;
    }
}

static int mend(struct batch *batch) {
    uint8_t pages[MENDED_PAGES][REMUS_PAGE];
    const int64_t bytes = (int64_t)batch->mended * REMUS_PAGE;
    const struct iovec local = {pages, bytes};
    int error =
        move(batch->ram, process_vm_readv, &local, 1, batch->mended_remote, batch->mended, bytes);
    if (error < 0) {
        return error;
    }
    for (int i = 0; i < batch->mended; i++) {
        patch(pages[i], batch->runs[i], batch->runs_end[i]);
    }
    return move(batch->ram, process_vm_writev, &local, 1, batch->mended_remote, batch->mended,
                bytes);
}

static int flush(struct batch *batch) {
    if (batch->count + batch->mended == 0) {
        return 0;
    }
    if (!ram_alive(batch->ram)) {
        return -ESRCH;
    }
    int error = move(batch->ram, process_vm_writev, batch->local, batch->count, batch->remote,
                     batch->count, batch->bytes);
    if (error == 0) {
        error = mend(batch);
    }
    batch->count = batch->mended = 0;
    batch->bytes = 0;
    return error;
}

/* Of a page that comes again, what came before is written first. */
static int begin(struct batch *batch, int64_t page, int64_t count) {
    int error = page < batch->next_page ? flush(batch) : 0;
    batch->next_page = page + count;
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

static bool few(const uint8_t *runs, const uint8_t *end) {
    for (int left = FEW_RUNS; left > 0 && runs < end; left--) {
        runs += PATCH_RUN_BYTES + read_u16(runs + 2);
    }
    return runs == end;
}

static int add_patch(struct batch *batch, int64_t page, const uint8_t *runs, int64_t bytes) {
    int64_t one;
    const uint8_t *end = runs + bytes;
    uint64_t address = ram_address(batch->ram, page, 1, &one);
    if (!few(runs, end)) {
        batch->mended_remote[batch->mended] = (struct iovec){(void *)address, REMUS_PAGE};
        batch->runs[batch->mended] = runs;
        batch->runs_end[batch->mended] = end;
        return ++batch->mended == MENDED_PAGES ? flush(batch) : 0;
    }
    while (runs < end) {
        int64_t length = read_u16(runs + 2);
        int error = add(batch, runs + PATCH_RUN_BYTES, address + read_u16(runs), length);
        if (error < 0) {
            return error;
        }
        runs += PATCH_RUN_BYTES + length;
    }
    return 0;
}

static int apply(struct remus_standby *standby, const uint8_t *at, int64_t bytes) {
    struct batch batch;
    batch.ram = &standby->ram;
    batch.next_page = 0;
    batch.count = batch.mended = 0;
    batch.bytes = 0;
    int error = 0;
    for (const uint8_t *end = at + bytes; error == 0 && at < end;) {
        int64_t page = read_u32(at), n = read_u16(at + 6);
        int kind = read_u16(at + 4);
        at += RECORD_BYTES;
        error = begin(&batch, page, kind == RECORD_PATCH ? 1 : n);
        if (error < 0) {
            break;
        }
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

int remus_standby_apply(struct remus_standby *standby, const void *records, int64_t bytes) {
    struct unpacked unpacked;
    int error = unpack(records, bytes, &unpacked);
    if (error == 0) {
        error = apply(standby, unpacked.records, unpacked.bytes);
        unpacked_free(&unpacked);
    }
    return error;
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

#define COPIED_PAGES 64 /* for each call of the kernel */

struct copying {
    const struct ram *from, *to;
    int64_t pages;
    uint8_t data[COPIED_PAGES * REMUS_PAGE];
};

static bool is_zero(const uint8_t *page) {
    return memcmp(page, zeros, REMUS_PAGE) == 0;
}

static int write_run(struct copying *copying, int64_t page, int64_t count, const uint8_t *data) {
    while (count > 0) {
        int64_t run;
        const uint64_t address = ram_address(copying->to, page, count, &run);
        const struct iovec local = {(void *)data, run * REMUS_PAGE};
        const struct iovec remote = {(void *)address, run * REMUS_PAGE};
        int error = move(copying->to, process_vm_writev, &local, 1, &remote, 1, run * REMUS_PAGE);
        if (error < 0) {
            return error;
        }
        copying->pages += run;
        data += run * REMUS_PAGE;
        page += run;
        count -= run;
    }
    return 0;
}

/* The pages lie in one part of the source, so in one piece. */
static int copy_run(struct copying *copying, int64_t page, int64_t count) {
    int64_t run;
    const struct iovec remote = {(void *)ram_address(copying->from, page, count, &run),
                                 count * REMUS_PAGE};
    const struct iovec local = {copying->data, count * REMUS_PAGE};
    int error = move(copying->from, process_vm_readv, &local, 1, &remote, 1, count * REMUS_PAGE);
    for (int64_t i = 0; error == 0 && i < count;) {
        const int64_t first = i;
        while (i < count && !is_zero(copying->data + i * REMUS_PAGE)) {
            i++;
        }
        error = write_run(copying, page + first, i - first, copying->data + first * REMUS_PAGE);
        i += i == first;
    }
    return error;
}

static int copy(void *context, int64_t page, int64_t count) {
    struct copying *copying = context;
    int error = 0;
    while (error == 0 && count > 0) {
        const int64_t run = count < COPIED_PAGES ? count : COPIED_PAGES;
        error = copy_run(copying, page, run);
        page += run;
        count -= run;
    }
    return error;
}

/* Of a file the page table does not tell what there is: pages that were swapped out are in none. */
static int copy_part(struct copying *copying, int pagemap, const struct ram_part *part) {
    return part->file ? copy(copying, part->first, part->pages)
                      : ram_pagemap(pagemap, part, PAGEMAP_POPULATED, copy, copying);
}

int64_t remus_standby_copy(const struct remus_standby *from, const struct remus_standby *to,
                           int64_t page, int64_t count) {
    const int64_t end = page + count;
    if (from->ram.pages != to->ram.pages || page < 0 || count < 0 || end > from->ram.pages) {
        return -EINVAL;
    }
    if (!ram_alive(&from->ram) || !ram_alive(&to->ram)) {
        return -ESRCH;
    }
    int pagemap = ram_proc(&from->ram, "pagemap", O_RDONLY);
    if (pagemap < 0) {
        return pagemap;
    }
    struct copying copying = {.from = &from->ram, .to = &to->ram};
    int error = 0;
    for (int i = 0; error == 0 && i < from->ram.count; i++) {
        struct ram_part part = from->ram.parts[i];
        const int64_t first = part.first > page ? part.first : page;
        const int64_t last = part.first + part.pages < end ? part.first + part.pages : end;
        if (first < last) {
            part.address += (first - part.first) * REMUS_PAGE;
            part.first = first;
            part.pages = last - first;
            error = copy_part(&copying, pagemap, &part);
        }
    }
    close(pagemap);
    return error < 0 ? error : copying.pages;
}
