/*
 * What a process's RAM holds, as one sum for each MiB of a RAM block, kept right while the RAM is
 * written: the sum of its pages' hashes, so that a page that was written changes it by the
 * difference of two hashes (Bellare and Micciancio, A New Paradigm for Collision-Free Hashing,
 * EUROCRYPT 1997). A page's hash is XXH64 with the page's number as its seed: the same bytes
 * elsewhere count differently. It finds faults, not forgeries.
 *
 * A page is stale as long as its hash is not that of what it holds. It is either hashed where it
 * lies or from a copy that somebody else took.
 */
#include "internal.h"
#include "pack.h"
#include "records.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH_PAGES 64

struct hashed_block {
    int64_t first_page;
    int64_t first_sum;
};

struct remus_hashes {
    struct ram ram;
    int pagemap;
    int blocks;
    struct hashed_block *block;
    int64_t sum_count;
    uint64_t *sums;
    uint64_t *pages; /* each one's hash as it is counted in its sum, 0 before the first */
    uint64_t *stale;
    int64_t stale_pages;
    int64_t next; /* where to look for a stale page */
    uint8_t data[BATCH_PAGES * REMUS_PAGE];
};

static const uint8_t zeros[REMUS_PAGE];

/* ---- XXH64 (https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md), of a page
 * --------------------
 */

#define PRIME_1 0x9E3779B185EBCA87ull
#define PRIME_2 0xC2B2AE3D27D4EB4Full
#define PRIME_3 0x165667B19E3779F9ull
#define PRIME_4 0x85EBCA77C2B2AE63ull

static uint64_t rotate(uint64_t value, int bits) {
    return value << bits | value >> (64 - bits);
}

static uint64_t take_lane(uint64_t accumulator, uint64_t lane) {
    return rotate(accumulator + lane * PRIME_2, 31) * PRIME_1;
}

static uint64_t merge(uint64_t hash, uint64_t accumulator) {
    return (hash ^ take_lane(0, accumulator)) * PRIME_1 + PRIME_4;
}

uint64_t hash_page(const uint8_t *page, uint64_t seed) {
    uint64_t a = seed + PRIME_1 + PRIME_2, b = seed + PRIME_2, c = seed, d = seed - PRIME_1;
    for (const uint8_t *end = page + REMUS_PAGE; page < end; page += 32) {
        uint64_t lane[4]; /* little-endian, as all of x86-64 */
        memcpy(lane, page, sizeof lane);
        a = take_lane(a, lane[0]);
        b = take_lane(b, lane[1]);
        c = take_lane(c, lane[2]);
        d = take_lane(d, lane[3]);
    }
    uint64_t hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    hash = merge(merge(merge(merge(hash, a), b), c), d) + REMUS_PAGE;
    hash = (hash ^ hash >> 33) * PRIME_2;
    hash = (hash ^ hash >> 29) * PRIME_3;
    return hash ^ hash >> 32;
}

/* ---- the table --------------------------------------------------------------------------------
 */

/* Blocks are cut into MiBs each for itself, so that no sum covers pages of two. */
static int number_blocks(struct remus_hashes *hashes, const struct remus_block *blocks, int count) {
    hashes->block = calloc(count, sizeof *hashes->block);
    if (hashes->block == NULL) {
        return -ENOMEM;
    }
    int64_t page = 0;
    for (; hashes->blocks < count; hashes->blocks++) {
        int64_t pages = blocks[hashes->blocks].bytes / REMUS_PAGE;
        hashes->block[hashes->blocks] = (struct hashed_block){page, hashes->sum_count};
        hashes->sum_count += (pages + REMUS_SUM_PAGES - 1) / REMUS_SUM_PAGES;
        page += pages;
    }
    return 0;
}

static int64_t sum_of(const struct remus_hashes *hashes, int64_t page) {
    int i = hashes->blocks - 1;
    while (page < hashes->block[i].first_page) {
        i--; /* a guest has a handful of blocks */
    }
    return hashes->block[i].first_sum + (page - hashes->block[i].first_page) / REMUS_SUM_PAGES;
}

int remus_hashes_open(int pid, const struct remus_block *blocks, int count,
                      struct remus_hashes **out) {
    struct remus_hashes *hashes = calloc(1, sizeof *hashes);
    if (hashes == NULL) {
        return -ENOMEM;
    }
    hashes->pagemap = -1;
    int error = ram_open(&hashes->ram, pid, blocks, count);
    if (error < 0) {
        free(hashes);
        return error;
    }
    int64_t pages = hashes->ram.pages, words = (pages + 63) / 64;
    error = number_blocks(hashes, blocks, count);
    hashes->sums = calloc(hashes->sum_count + 1, sizeof *hashes->sums);
    hashes->pages = calloc(pages, sizeof *hashes->pages);
    hashes->stale = calloc(words, sizeof *hashes->stale);
    if (error == 0 && (hashes->sums == NULL || hashes->pages == NULL || hashes->stale == NULL)) {
        error = -ENOMEM;
    }
    if (error == 0) {
        hashes->pagemap = ram_proc(&hashes->ram, "pagemap", O_RDONLY);
        error = hashes->pagemap < 0 ? hashes->pagemap : 0;
    }
    if (error < 0) {
        remus_hashes_close(hashes);
        return error;
    }
    memset(hashes->stale, 0xff, words * sizeof *hashes->stale);
    if (pages % 64 != 0) {
        hashes->stale[words - 1] = ~(~0ull << pages % 64);
    }
    hashes->stale_pages = pages;
    *out = hashes;
    return 0;
}

void remus_hashes_close(struct remus_hashes *hashes) {
    if (hashes == NULL) {
        return;
    }
    if (hashes->pagemap >= 0) {
        close(hashes->pagemap);
    }
    ram_close(&hashes->ram);
    free(hashes->block);
    free(hashes->sums);
    free(hashes->pages);
    free(hashes->stale);
    free(hashes);
}

static void set_hash(struct remus_hashes *hashes, int64_t page, const uint8_t *data) {
    uint64_t hash = hash_page(data, page), bit = 1ull << page % 64;
    hashes->sums[sum_of(hashes, page)] += hash - hashes->pages[page];
    hashes->pages[page] = hash;
    hashes->stale_pages -= (hashes->stale[page / 64] & bit) != 0;
    hashes->stale[page / 64] &= ~bit;
}

static void set_stale(struct remus_hashes *hashes, int64_t page) {
    uint64_t bit = 1ull << page % 64;
    hashes->stale_pages += (hashes->stale[page / 64] & bit) == 0;
    hashes->stale[page / 64] |= bit;
}

/* ---- hashing where the pages lie ---------------------------------------------------------------
 */

/* The next stale page. There is one. */
static int64_t find_stale(struct remus_hashes *hashes) {
    int64_t words = (hashes->ram.pages + 63) / 64, word = hashes->next / 64;
    uint64_t bits = hashes->stale[word] & ~0ull << hashes->next % 64;
    while (bits == 0) {
        word = word + 1 < words ? word + 1 : 0;
        bits = hashes->stale[word];
    }
    return word * 64 + __builtin_ctzll(bits);
}

/*
 * Whether each of count pages from address on may hold anything but zeros. What QEMU never touched
 * is not read: that would populate it. Of a file this is not known; there everything is read.
 */
static int look(const struct remus_hashes *hashes, uint64_t address, int64_t count, bool file,
                bool *populated) {
    uint64_t entries[BATCH_PAGES];
    ssize_t bytes = count * (ssize_t)sizeof *entries;
    if (!file &&
        pread(hashes->pagemap, entries, bytes, address / REMUS_PAGE * sizeof *entries) != bytes) {
        return -ESRCH; /* the address space is gone */
    }
    for (int64_t i = 0; i < count; i++) {
        populated[i] = file || (entries[i] & PAGEMAP_POPULATED) != 0;
    }
    return 0;
}

/* Hashes count pages from page on, which lie in one piece of one part. */
static int hash_piece(struct remus_hashes *hashes, int64_t page, uint64_t address, int64_t count,
                      bool file) {
    bool populated[BATCH_PAGES];
    int error = look(hashes, address, count, file, populated);
    if (error < 0) {
        return error;
    }
    struct iovec remote[BATCH_PAGES], local = {hashes->data, 0};
    int used = 0;
    for (int64_t i = 0; i < count; i++) {
        if (populated[i]) {
            remote[used++] = (struct iovec){(void *)(address + i * REMUS_PAGE), REMUS_PAGE};
            local.iov_len += REMUS_PAGE;
        }
    }
    ssize_t got = used == 0 ? 0 : process_vm_readv(hashes->ram.pid, &local, 1, remote, used, 0);
    if (got != (ssize_t)local.iov_len) {
        return got < 0 ? -errno : -EFAULT;
    }
    const uint8_t *data = hashes->data;
    for (int64_t i = 0; i < count; i++) {
        set_hash(hashes, page + i, populated[i] ? data : zeros);
        data += populated[i] ? REMUS_PAGE : 0;
    }
    return 0;
}

int64_t remus_hashes_step(struct remus_hashes *hashes, int64_t most) {
    if (!ram_alive(&hashes->ram)) {
        return -ESRCH;
    }
    while (most > 0 && hashes->stale_pages > 0) {
        int64_t page = find_stale(hashes), want = most < BATCH_PAGES ? most : BATCH_PAGES, run;
        const struct ram_part *part = ram_part(&hashes->ram, page);
        uint64_t address = ram_address(&hashes->ram, page, want, &run);
        int64_t count = 1;
        while (count < run && (hashes->stale[(page + count) / 64] >> (page + count) % 64 & 1)) {
            count++;
        }
        int error = hash_piece(hashes, page, address, count, part->file);
        if (error < 0) {
            return error;
        }
        hashes->next = page + count < hashes->ram.pages ? page + count : 0;
        most -= count;
    }
    return hashes->stale_pages;
}

/* ---- what was written ---------------------------------------------------------------------------
 */

void remus_hashes_arena(struct remus_hashes *hashes, const struct remus_arena *arena) {
    const uint8_t *data = arena->data;
    for (int64_t i = 0; i < arena->run_count; i++) {
        for (int64_t k = 0; k < arena->runs[i].count; k++, data += REMUS_PAGE) {
            set_hash(hashes, arena->runs[i].page + k, data);
        }
    }
}

int remus_hashes_records(struct remus_hashes *hashes, const void *records, int64_t bytes) {
    struct unpacked unpacked;
    int error = unpack(records, bytes, &unpacked);
    if (error < 0) {
        return error;
    }
    const uint8_t *at = unpacked.records;
    for (const uint8_t *end = at + unpacked.bytes; at < end;) {
        int64_t page = read_u32(at), n = read_u16(at + 6);
        int kind = read_u16(at + 4);
        int64_t count = kind == RECORD_PATCH ? 1 : n;
        for (int64_t i = 0; i < count; i++) {
            set_stale(hashes, page + i);
        }
        at += RECORD_BYTES + (kind == RECORD_ZERO ? 0 : kind == RECORD_FULL ? n * REMUS_PAGE : n);
    }
    unpacked_free(&unpacked);
    return 0;
}

int64_t remus_hashes_sums(const struct remus_hashes *hashes, uint64_t *sums, int64_t capacity) {
    if (capacity < hashes->sum_count) {
        return -ENOSPC;
    }
    memcpy(sums, hashes->sums, hashes->sum_count * sizeof *sums);
    return hashes->sum_count;
}
