/*
 * Turns copied pages into records (records.c), leaving out what the peer has already.
 *
 * The encoder keeps copies of pages as last sent. Page p lives in one of the slots of set p
 * mod sets, where it takes the place of the page that was sent longest ago. A page that is not
 * there is sent whole. What is there is what the peer has, always.
 */
#include "internal.h"
#include "pack.h"
#include "records.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define MOST_WAYS 8
#define MERGE_GAP 16 /* equal bytes between two runs that cost less to send than a run */
#define PATCH_MOST (REMUS_PAGE / 2)
#define KNOWN_BYTES                                                                                \
    (1ull << 29) /* a bit for each page number there can be; untouched, it costs nothing */

struct slot {
    uint32_t owner; /* page number + 1, or 0 */
    uint32_t sent;  /* in this round */
};

struct remus_encoder {
    int64_t sets;
    int64_t ways;       /* slots of a set */
    uint8_t *pages;     /* sets * ways of them */
    struct slot *slots; /* as many */
    uint32_t round;     /* calls of remus_encode */
    uint64_t *known;    /* pages the peer was told of: any other is zero over there */
    struct packer packer;
};

static void *reserve(size_t bytes) {
    void *area = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return area == MAP_FAILED ? NULL : area;
}

int remus_encoder_create(int64_t cache_bytes, struct remus_encoder **out) {
    int64_t slots = cache_bytes / (int64_t)(REMUS_PAGE + sizeof(struct slot));
    if (slots < 1) {
        return -EINVAL;
    }
    struct remus_encoder *encoder = calloc(1, sizeof *encoder);
    if (encoder == NULL) {
        return -ENOMEM;
    }
    encoder->ways = slots < MOST_WAYS ? slots : MOST_WAYS;
    encoder->sets = slots / encoder->ways;
    encoder->pages = reserve(encoder->sets * encoder->ways * REMUS_PAGE);
    encoder->slots = reserve(encoder->sets * encoder->ways * sizeof *encoder->slots);
    encoder->known = reserve(KNOWN_BYTES);
    int error = packer_open(&encoder->packer);
    if (error < 0 || encoder->pages == NULL || encoder->slots == NULL || encoder->known == NULL) {
        remus_encoder_destroy(encoder);
        return -ENOMEM;
    }
    *out = encoder;
    return 0;
}

void remus_encoder_destroy(struct remus_encoder *encoder) {
    if (encoder == NULL) {
        return;
    }
    if (encoder->pages != NULL) {
        munmap(encoder->pages, encoder->sets * encoder->ways * REMUS_PAGE);
    }
    if (encoder->slots != NULL) {
        munmap(encoder->slots, encoder->sets * encoder->ways * sizeof *encoder->slots);
    }
    if (encoder->known != NULL) {
        munmap(encoder->known, KNOWN_BYTES);
    }
    packer_close(&encoder->packer);
    free(encoder);
}

void remus_encoder_reset(struct remus_encoder *encoder) {
    madvise(encoder->slots, encoder->sets * encoder->ways * sizeof *encoder->slots, MADV_DONTNEED);
    madvise(encoder->known, KNOWN_BYTES, MADV_DONTNEED);
}

static uint64_t word(const uint8_t *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static bool is_zero(const uint8_t *page) {
    for (int i = 0; i < REMUS_PAGE; i += 64) {
        uint64_t any = 0;
        for (int k = 0; k < 64; k += 8) {
            any |= word(page + i + k);
        }
        if (any != 0) {
            return false;
        }
    }
    return true;
}

static uint8_t *put_run(uint8_t *out, const uint8_t *page, int from, int to) {
    write_u16(out, from);
    write_u16(out + 2, to - from);
    memcpy(out + PATCH_RUN_BYTES, page + from, to - from);
    return out + PATCH_RUN_BYTES + to - from;
}

/* Writes the runs in which page differs from old. Returns their bytes: 0 when equal, -1 when too
 * many. */
static int put_patch(const uint8_t *old, const uint8_t *page, uint8_t *out) {
    uint8_t *at = out;
    int from = -1, to = -1;
    for (int block = 0; block < REMUS_PAGE; block += 64) {
        uint64_t any = 0;
        for (int k = block; k < block + 64; k += 8) {
            any |= word(old + k) ^ word(page + k);
        }
        for (int k = block; any != 0 && k < block + 64; k += 8) {
            uint64_t differs = word(old + k) ^ word(page + k);
            if (differs == 0) {
                continue;
            }
            int first = k + __builtin_ctzll(differs) / 8; /* little-endian, as all of x86-64 */
            if (from >= 0 && first - to >= MERGE_GAP) {
                at = put_run(at, page, from, to);
                from = -1;
            }
            from = from < 0 ? first : from;
            to = k + 8 - __builtin_clzll(differs) / 8;
            if (at - out + PATCH_RUN_BYTES + to - from > PATCH_MOST) {
                return -1;
            }
        }
    }
    return from < 0 ? 0 : put_run(at, page, from, to) - out;
}

/* Lengthens the record before, when page continues it, or begins one. */
static uint8_t *put_header(uint8_t **record, uint8_t *out, int kind, int64_t page) {
    if (*record != NULL && read_u16(*record + 4) == kind) {
        int64_t n = read_u16(*record + 6);
        if (read_u32(*record) + n == page && n < UINT16_MAX) {
            write_u16(*record + 6, n + 1);
            return out;
        }
    }
    *record = out;
    write_u32(out, page);
    write_u16(out + 4, kind);
    write_u16(out + 6, 1);
    return out + RECORD_BYTES;
}

/* The page's slot, or else the one to put it into. */
static int64_t slot_of(const struct remus_encoder *encoder, int64_t page) {
    int64_t first = page % encoder->sets * encoder->ways, oldest = first;
    for (int64_t slot = first; slot < first + encoder->ways; slot++) {
        if (encoder->slots[slot].owner == page + 1) {
            return slot;
        }
        uint32_t age = encoder->round - encoder->slots[slot].sent;
        if (age > encoder->round - encoder->slots[oldest].sent) {
            oldest = slot;
        }
    }
    return oldest;
}

static int64_t encode(struct remus_encoder *encoder, struct remus_arena *arena, void *out,
                      int64_t capacity, int skip_zero, int64_t *counts) {
    uint8_t *at = out, *record = NULL;
    encoder->round++;
    const uint8_t *full = at + capacity - RECORD_BYTES - REMUS_PAGE; /* room for any one page */
    for (; arena->next_page < arena->pages && at <= full; arena->next_page++) {
        struct arena_run run = arena->runs[arena->next_run];
        int64_t page = run.page + arena->next_in_run;
        if (++arena->next_in_run == run.count) {
            arena->next_run++;
            arena->next_in_run = 0;
        }
        const uint8_t *data = arena->data + arena->next_page * REMUS_PAGE;
        int64_t slot = slot_of(encoder, page);
        uint8_t *cached = encoder->pages + slot * REMUS_PAGE;
        uint64_t *known = &encoder->known[page / 64], bit = 1ull << page % 64;
        encoder->slots[slot].sent = encoder->round;
        if (encoder->slots[slot].owner == page + 1) {
            int bytes = put_patch(cached, data, at + RECORD_BYTES);
            if (bytes == 0) {
                counts[REMUS_ENCODE_UNCHANGED]++;
                continue;
            }
            if (bytes > 0) {
                memcpy(cached, data, REMUS_PAGE);
                record = NULL;
                put_header(&record, at, RECORD_PATCH, page);
                write_u16(at + 6, bytes);
                at += RECORD_BYTES + bytes;
                *known |= bit;
                counts[REMUS_ENCODE_PATCHED]++;
                continue;
            }
        }
        memcpy(cached, data, REMUS_PAGE);
        encoder->slots[slot].owner = page + 1;
        if (is_zero(data)) {
            counts[REMUS_ENCODE_ZERO]++;
            if (skip_zero && (*known & bit) == 0) {
                continue;
            }
            at = put_header(&record, at, RECORD_ZERO, page);
        } else {
            at = put_header(&record, at, RECORD_FULL, page);
            memcpy(at, data, REMUS_PAGE);
            at += REMUS_PAGE;
            counts[REMUS_ENCODE_FULL]++;
        }
        *known |= bit;
    }
    return at - (uint8_t *)out;
}

int64_t remus_encode(struct remus_encoder *encoder, struct remus_arena *arena, void *out,
                     int64_t capacity, int skip_zero, int pack, int64_t *counts) {
    if (capacity < 2 * REMUS_PAGE) {
        return -EINVAL;
    }
    if (!pack) {
        int64_t bytes = encode(encoder, arena, out, capacity, skip_zero, counts);
        counts[REMUS_ENCODE_BYTES] += bytes;
        return bytes;
    }
    struct packer *packer = &encoder->packer;
    capacity = capacity < PACK_MOST ? capacity : PACK_MOST;
    int64_t bytes = encode(encoder, arena, packer->records, capacity, skip_zero, counts);
    counts[REMUS_ENCODE_BYTES] += bytes;
    int64_t packed = packer_pack(packer, bytes, out);
    if (packed > 0) {
        return packed;
    }
    memcpy(out, packer->records, bytes);
    return bytes;
}
