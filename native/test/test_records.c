#include "pack.h"
#include "records.h"
#include "test.h"

#include <sys/mman.h>

#define PAGES 600
#define OUT (64 * 1024)

/* A guest's RAM here, and what its peer makes of the records. */
static uint8_t ram[PAGES][REMUS_PAGE], peer[PAGES][REMUS_PAGE];
static uint8_t out[OUT];
static int64_t counts[REMUS_ENCODE_COUNTS];

/* Applies records in this process, the plain way, to have something to compare with. */
static void apply_plainly(const uint8_t *records, int64_t bytes) {
    struct unpacked unpacked;
    CHECK(remus_records_check(records, bytes, PAGES) >= 0);
    CHECK_EQUAL(0, unpack(records, bytes, &unpacked));
    const uint8_t *at = unpacked.records;
    for (const uint8_t *end = at + unpacked.bytes; at < end;) {
        int64_t page = read_u32(at), n = read_u16(at + 6);
        int kind = read_u16(at + 4);
        at += RECORD_BYTES;
        if (kind == RECORD_ZERO) {
            memset(peer[page], 0, n * REMUS_PAGE);
        } else if (kind == RECORD_FULL) {
            memcpy(peer[page], at, n * REMUS_PAGE);
            at += n * REMUS_PAGE;
        } else {
            for (const uint8_t *last = at + n; at < last; at += 4 + read_u16(at + 2)) {
                memcpy(peer[page] + read_u16(at), at + 4, read_u16(at + 2));
            }
        }
    }
    unpacked_free(&unpacked);
}

static void load(struct remus_arena *arena, int64_t page, int64_t count) {
    uint8_t *to = arena->data + arena->pages * REMUS_PAGE;
    CHECK_EQUAL(count, arena_add(arena, page, count));
    memcpy(to, ram[page], count * REMUS_PAGE);
}

static int64_t encode_all(struct remus_encoder *encoder, struct remus_arena *arena, int skip_zero) {
    int64_t total = 0;
    for (int64_t bytes;
         (bytes = remus_encode(encoder, arena, out, OUT, skip_zero, 0, counts)) != 0;) {
        CHECK(bytes > 0 && bytes <= OUT);
        apply_plainly(out, bytes);
        total += bytes;
    }
    return total;
}

static void should_send_only_what_the_peer_does_not_have(void) {
    struct remus_encoder *encoder;
    struct remus_arena *arena;
    CHECK_EQUAL(0, remus_encoder_create(PAGES * 4200, &encoder));
    CHECK_EQUAL(0, remus_arena_create(PAGES * REMUS_PAGE, &arena));
    memset(ram[3], 7, 2 * REMUS_PAGE);
    load(arena, 1, 5);
    CHECK_EQUAL(8 + 8 + 2 * REMUS_PAGE + 8, encode_all(encoder, arena, 0)); /* zero, full, zero */
    CHECK_EQUAL(3, counts[REMUS_ENCODE_ZERO]);
    CHECK_EQUAL(2, counts[REMUS_ENCODE_FULL]);
    ram[3][100] = 8;
    ram[3][4095] = 9;
    arena_empty(arena);
    load(arena, 3, 2);
    CHECK_EQUAL(8 + 4 + 1 + 4 + 1, encode_all(encoder, arena, 0));
    CHECK_EQUAL(1, counts[REMUS_ENCODE_PATCHED]);
    CHECK_EQUAL(1, counts[REMUS_ENCODE_UNCHANGED]);
    CHECK(memcmp(ram, peer, sizeof ram) == 0);
    remus_encoder_reset(encoder);
    arena_empty(arena);
    load(arena, 3, 2);
    CHECK_EQUAL(8 + 2 * REMUS_PAGE, encode_all(encoder, arena, 0));
    remus_encoder_destroy(encoder);
    remus_arena_destroy(arena);
}

static void should_leave_out_zero_pages_only_until_they_were_sent(void) {
    struct remus_encoder *encoder;
    struct remus_arena *arena;
    CHECK_EQUAL(0, remus_encoder_create(4200, &encoder)); /* one slot: forgets at once */
    CHECK_EQUAL(0, remus_arena_create(PAGES * REMUS_PAGE, &arena));
    load(arena, 1, 1);
    CHECK_EQUAL(0, encode_all(encoder, arena, 1));
    ram[1][5] = 1; /* a patch of the zero page that was left out */
    arena_empty(arena);
    load(arena, 1, 1);
    CHECK_EQUAL(8 + 5, encode_all(encoder, arena, 1));
    ram[2][5] = 1;
    arena_empty(arena);
    load(arena, 2, 1); /* takes the slot */
    encode_all(encoder, arena, 1);
    ram[1][5] = 0;
    arena_empty(arena);
    load(arena, 1, 1);
    CHECK_EQUAL(8, encode_all(encoder, arena, 1)); /* zero again, and the peer must hear of it */
    CHECK(memcmp(ram, peer, sizeof ram) == 0);
    remus_encoder_destroy(encoder);
    remus_arena_destroy(arena);
}

/* Changes some bytes of some pages, as guests do: a few bytes, half pages, whole pages, back to
 * zero. */
static void mutate(struct remus_arena *arena) {
    for (int64_t page = rand() % 20; page < PAGES; page += 1 + rand() % 20) {
        int run = 1 + rand() % 4;
        for (int64_t p = page; p < page + run && p < PAGES; p++) {
            switch (rand() % 5) {
            case 0:
                memset(ram[p], 0, REMUS_PAGE);
                break;
            case 1:
                for (int i = 0; i < REMUS_PAGE; i++) {
                    ram[p][i] = rand();
                }
                break;
            case 2:
                break; /* written, not changed */
            default:
                for (int i = rand() % 60; i >= 0; i--) {
                    ram[p][rand() % REMUS_PAGE] = rand();
                }
            }
        }
        run = page + run > PAGES ? PAGES - page : run;
        load(arena, page, run);
        page += run;
    }
}

static void should_keep_the_peer_equal_with_any_cache_and_buffer(void) {
    const int64_t caches[] = {4200, 37 * 4200, PAGES * 4200};
    struct remus_arena *arena;
    CHECK_EQUAL(0, remus_arena_create(PAGES * REMUS_PAGE, &arena));
    for (int c = 0; c < 3; c++) {
        struct remus_encoder *encoder;
        CHECK_EQUAL(0, remus_encoder_create(caches[c], &encoder));
        memset(ram, 0, sizeof ram);
        memset(peer, 0, sizeof peer);
        srand(c);
        for (int round = 0; round < 30; round++) {
            arena_empty(arena);
            mutate(arena);
            int64_t capacity = 8192 + rand() % (OUT - 8192);
            for (int64_t bytes; (bytes = remus_encode(encoder, arena, out, capacity, round % 2,
                                                      round / 2 % 2, counts)) != 0;) {
                CHECK(bytes > 0 && bytes <= capacity);
                apply_plainly(out, bytes);
            }
            CHECK_EQUAL(arena->pages, arena->next_page);
            CHECK(memcmp(ram, peer, sizeof ram) == 0);
        }
        remus_encoder_destroy(encoder);
    }
    remus_arena_destroy(arena);
}

/* A copy that ends where readable memory ends: one byte too far is a crash. */
static int64_t check_exactly(const uint8_t *records, int64_t bytes) {
    uint8_t *copy = malloc(bytes > 0 ? bytes : 1);
    memcpy(copy, records, bytes);
    int64_t count = remus_records_check(copy, bytes, PAGES);
    if (count >= 0) {
        apply_plainly(copy, bytes); /* the sanitizer watches for a write that is out of range */
    } else {
        CHECK_EQUAL(-EBADMSG, count);
    }
    free(copy);
    return count;
}

static int64_t some_records(void) {
    struct remus_encoder *encoder;
    struct remus_arena *arena;
    CHECK_EQUAL(0, remus_encoder_create(PAGES * 4200, &encoder));
    CHECK_EQUAL(0, remus_arena_create(PAGES * REMUS_PAGE, &arena));
    ram[6][1] = 1;
    load(arena, 5, 2);
    encode_all(encoder, arena, 0);
    arena_empty(arena);
    ram[5][70] = 1;
    ram[6][1] = 2;
    ram[6][99] = 2;
    ram[PAGES - 1][0] = 3;
    load(arena, 5, 3);
    load(arena, PAGES - 1, 1);
    int64_t bytes = remus_encode(encoder, arena, out, OUT, 0, 0, counts);
    remus_encoder_destroy(encoder);
    remus_arena_destroy(arena);
    return bytes;
}

static void should_refuse_records_cut_at_any_byte(void) {
    int64_t bytes = some_records();
    int whole = 0;
    for (int64_t cut = 0; cut <= bytes; cut++) {
        whole += check_exactly(out, cut) >= 0;
    }
    CHECK_EQUAL(5, whole); /* nothing, and after each of four records */
}

static void should_survive_any_changed_byte(void) {
    int64_t bytes = some_records();
    for (int64_t at = 0; at < bytes; at++) {
        if (at > 200 && at < bytes - 200) {
            continue; /* inside a page's content */
        }
        uint8_t was = out[at];
        for (int value = 0; value < 256; value++) {
            out[at] = value;
            check_exactly(out, bytes);
        }
        out[at] = was;
    }
    srand(1);
    for (int round = 0; round < 20000; round++) {
        uint8_t noise[64];
        for (size_t i = 0; i < sizeof noise; i++) {
            noise[i] = rand() % 4 ? rand() % 5 : rand();
        }
        check_exactly(noise, rand() % sizeof noise);
    }
}

static void expect_bad(const uint8_t *records, int64_t bytes) {
    CHECK_EQUAL(-EBADMSG, check_exactly(records, bytes));
}

static void should_refuse_each_kind_of_nonsense(void) {
    expect_bad((uint8_t[]){0, 0, 0, 0, 0, 0, 0, 1}, 8);                       /* kind 0 */
    expect_bad((uint8_t[]){0, 0, 0, 0, 0, 5, 0, 1}, 8);                       /* kind 5 */
    expect_bad((uint8_t[]){0, 0, 0, 0, 0, 1, 0, 0}, 8);                       /* no pages */
    expect_bad((uint8_t[]){0, 0, PAGES >> 8, PAGES & 255, 0, 1, 0, 1}, 8);    /* after the end */
    expect_bad((uint8_t[]){255, 255, 255, 255, 0, 1, 255, 255}, 8);           /* far after it */
    expect_bad((uint8_t[]){0, 0, 0, 0, 0, 3, 0, 4, 0, 0, 0, 0}, 12);          /* empty run */
    expect_bad((uint8_t[]){0, 0, 0, 0, 0, 3, 0, 5, 16, 0, 0, 1, 9}, 13);      /* offset 4096 */
    expect_bad((uint8_t[]){0, 0, 0, 0, 0, 3, 0, 6, 15, 255, 0, 2, 9, 9}, 14); /* over the end */
    expect_bad((uint8_t[]){0, 0, 0, 0, 0, 3, 0, 6, 0, 0, 0, 1, 9, 9}, 14);    /* a byte too many */
    expect_bad((uint8_t[]){0, 0, 0, 0, 0, 3, 0, 10, 0, 5, 0, 1, 9, 0, 5, 0, 1, 9},
               18); /* overlap */
    CHECK_EQUAL(0, remus_records_check(out, 0, PAGES));
}

/* Records of one page, packed; in out. Returns their bytes. */
static int64_t some_packed_records(int64_t page) {
    struct remus_encoder *encoder;
    struct remus_arena *arena;
    CHECK_EQUAL(0, remus_encoder_create(4200, &encoder));
    CHECK_EQUAL(0, remus_arena_create(REMUS_PAGE, &arena));
    for (int i = 0; i < REMUS_PAGE; i++) {
        ram[page][i] = i / 64 % 7 + i % 3;
    }
    load(arena, page, 1);
    int64_t bytes = remus_encode(encoder, arena, out, OUT, 0, 1, counts);
    CHECK_EQUAL(RECORD_PACKED, read_u16(out + 4));
    remus_encoder_destroy(encoder);
    remus_arena_destroy(arena);
    return bytes;
}

static void should_pack_only_what_becomes_less(void) {
    struct remus_encoder *encoder;
    struct remus_arena *arena;
    CHECK_EQUAL(0, remus_encoder_create(PAGES * 4200, &encoder));
    CHECK_EQUAL(0, remus_arena_create(2 * REMUS_PAGE, &arena));
    CHECK(some_packed_records(8) < REMUS_PAGE / 4);
    apply_plainly(out, some_packed_records(8));
    CHECK(memcmp(ram[8], peer[8], REMUS_PAGE) == 0);
    srand(5);
    for (int i = 0; i < REMUS_PAGE; i++) {
        ram[9][i] = rand() >> 7;
    }
    load(arena, 9, 1);
    memset(counts, 0, sizeof counts);
    const int64_t plain = RECORD_BYTES + REMUS_PAGE;
    CHECK_EQUAL(plain, remus_encode(encoder, arena, out, OUT, 0, 1, counts));
    CHECK_EQUAL(RECORD_FULL, read_u16(out + 4));
    CHECK_EQUAL(plain, counts[REMUS_ENCODE_BYTES]);
    remus_encoder_destroy(encoder);
    remus_arena_destroy(arena);
}

static void should_refuse_a_pack_cut_at_any_byte(void) {
    int64_t bytes = some_packed_records(8);
    for (int64_t cut = 1; cut < bytes; cut++) {
        CHECK_EQUAL(-EBADMSG, check_exactly(out, cut));
    }
    CHECK_EQUAL(1, check_exactly(out, bytes));
}

static void should_survive_any_changed_byte_of_a_pack(void) {
    int64_t bytes = some_packed_records(8);
    for (int64_t at = 0; at < bytes; at++) {
        uint8_t was = out[at];
        for (int value = 0; value < 256; value++) {
            out[at] = value;
            check_exactly(out, bytes);
        }
        out[at] = was;
    }
}

/* Packs the first bytes of records by hand, and says that they are told of them. */
static int64_t pack_by_hand(const uint8_t *records, int64_t bytes, uint32_t told) {
    struct packer packer;
    CHECK_EQUAL(0, packer_open(&packer));
    memcpy(packer.records, records, bytes);
    int64_t packed = packer_pack(&packer, bytes, out);
    CHECK(packed > 0);
    write_u32(out, told);
    packer_close(&packer);
    return packed;
}

static void should_refuse_each_pack_that_is_not_what_it_tells(void) {
    static uint8_t zeros[PACK_MOST], packed[OUT];
    const uint32_t page = RECORD_BYTES + REMUS_PAGE;
    zeros[5] = RECORD_FULL;
    zeros[7] = 1;
    int64_t bytes = pack_by_hand(zeros, page, page);
    CHECK_EQUAL(1, check_exactly(out, bytes));
    expect_bad(out, pack_by_hand(zeros, page, page - 1)); /* a bomb: it holds more */
    expect_bad(out, pack_by_hand(zeros, page, page + 1));
    expect_bad(out, pack_by_hand(zeros, page, 0));
    expect_bad(out, pack_by_hand(zeros, page, PACK_MOST + 1));
    expect_bad(out, pack_by_hand(zeros, page, UINT32_MAX));
    bytes = pack_by_hand(zeros, page, page);
    memcpy(packed, out, bytes);
    memset(packed + bytes, 0, page); /* records in a pack in a pack */
    expect_bad(out, pack_by_hand(packed, page, page));
    memcpy(out, packed, bytes);
    memcpy(out + bytes, packed + RECORD_BYTES, bytes - RECORD_BYTES);
    expect_bad(out, 2 * bytes - RECORD_BYTES); /* two frames */
    out[7] = 1;
    expect_bad(out, bytes);
    out[7] = 0;
    out[RECORD_BYTES] = 0x27; /* the magic number of zstd 0.7 */
    expect_bad(out, bytes);
}

static void should_make_a_second_process_equal(void) {
    struct victim guest, standby;
    struct remus_tracker *tracker;
    struct remus_arena *arena;
    struct remus_encoder *encoder;
    struct remus_standby *target;
    uint8_t here[REMUS_PAGE], there[REMUS_PAGE];
    const int64_t pages = 2500;
    victim_start(&guest, VICTIM_ANONYMOUS, pages, 1);
    victim_start(&standby, VICTIM_MEMFD, pages, 1);
    victim_fill(&standby, 40, 20, 99); /* what a starting QEMU left there */
    CHECK_EQUAL(0, remus_tracker_open(guest.pid, REMUS_SHADOW, guest.blocks, 2, &tracker));
    CHECK_EQUAL(0, remus_arena_create(200 * REMUS_PAGE, &arena));
    CHECK_EQUAL(0, remus_encoder_create(500 * 4200, &encoder));
    CHECK_EQUAL(0, remus_standby_open(standby.pid, standby.blocks, 2, &target));
    CHECK_EQUAL(20, remus_standby_blank(target));
    srand(3);
    for (int round = 0; round < 12; round++) {
        for (int i = 0; i < 150; i++) {
            victim_poke(&guest, rand() % pages, rand() % REMUS_PAGE, rand() % 3);
        }
        victim_fill(&guest, rand() % (pages - 300), 1 + rand() % 300, rand() % 3);
        CHECK(remus_tracker_scan(tracker) >= 0);
        int64_t left;
        do {
            left = remus_tracker_copy(tracker, arena);
            CHECK(left >= 0);
            for (int64_t bytes;
                 (bytes = remus_encode(encoder, arena, out, OUT, 1, 1, counts)) != 0;) {
                CHECK(remus_records_check(out, bytes, pages) > 0);
                CHECK_EQUAL(0, remus_standby_apply(target, out, bytes));
            }
        } while (left > 0);
    }
    for (int64_t page = 0; page < pages; page++) {
        victim_read(&guest, page, here);
        victim_read(&standby, page, there);
        CHECK(memcmp(here, there, REMUS_PAGE) == 0);
    }
    victim_stop(&standby);
    out[0] = out[1] = out[2] = out[3] = out[4] = out[6] = 0;
    out[5] = out[7] = 1;
    CHECK_EQUAL(-ESRCH, remus_standby_apply(target, out, 8));
    remus_standby_close(target);
    remus_encoder_destroy(encoder);
    remus_arena_destroy(arena);
    remus_tracker_close(tracker);
    victim_stop(&guest);
}

/* One record of a page out of a few. Returns its bytes. */
static int64_t some_record(uint8_t *at) {
    const int64_t page = 3 + rand() % 8;
    const int kind = 1 + rand() % 3;
    uint8_t *to = at + RECORD_BYTES;
    if (kind == RECORD_FULL) {
        memset(to, rand(), REMUS_PAGE);
        to += REMUS_PAGE;
    }
    for (int offset = rand() % 900, runs = kind == RECORD_PATCH ? 1 + rand() % 6 : 0; runs > 0;
         runs--) {
        const int length = 1 + rand() % 500;
        const uint8_t head[] = {offset >> 8, offset, length >> 8, length};
        memcpy(to, head, sizeof head);
        memset(to + sizeof head, rand(), length);
        to += sizeof head + length;
        offset += length;
    }
    const int64_t n = kind == RECORD_PATCH ? to - at - RECORD_BYTES : 1;
    const uint8_t head[] = {0, 0, 0, page, 0, kind, n >> 8, n};
    memcpy(at, head, sizeof head);
    return to - at;
}

static void should_apply_records_of_one_page_in_their_order(void) {
    struct victim standby;
    struct remus_standby *target;
    uint8_t there[REMUS_PAGE];
    victim_start(&standby, VICTIM_ANONYMOUS, PAGES, 0);
    CHECK_EQUAL(0, remus_standby_open(standby.pid, standby.blocks, 2, &target));
    srand(5);
    for (int round = 0; round < 200; round++) {
        int64_t bytes = 0;
        for (int records = rand() % 100; records > 0 && bytes < OUT - 3 * REMUS_PAGE; records--) {
            bytes += some_record(out + bytes);
        }
        apply_plainly(out, bytes);
        CHECK_EQUAL(0, remus_standby_apply(target, out, bytes));
        for (int64_t page = 0; page < 16; page++) {
            victim_read(&standby, page, there);
            CHECK(memcmp(peer[page], there, REMUS_PAGE) == 0);
        }
    }
    remus_standby_close(target);
    victim_stop(&standby);
}

/* A second standby gets what the first has, piece by piece, while records go to both. */
static void should_make_a_second_standby_equal_while_records_go_to_both(void) {
    struct victim standby, clone;
    struct remus_standby *target, *second;
    static uint8_t here[REMUS_PAGE], there[REMUS_PAGE];
    victim_start(&standby, VICTIM_ANONYMOUS, PAGES, 0);
    victim_start(&clone, VICTIM_ANONYMOUS, PAGES, 0);
    CHECK_EQUAL(0, remus_standby_open(standby.pid, standby.blocks, 2, &target));
    CHECK_EQUAL(0, remus_standby_open(clone.pid, clone.blocks, 2, &second));
    CHECK(remus_standby_blank(target) >= 0);
    CHECK(remus_standby_blank(second) >= 0);
    srand(6);
    for (int round = 0; round < 200; round++) {
        CHECK_EQUAL(0, remus_standby_apply(target, out, some_record(out)));
    }
    const int64_t pages =
        standby.blocks[0].bytes / REMUS_PAGE + standby.blocks[1].bytes / REMUS_PAGE;
    for (int64_t page = 0; page < pages; page += 3) {
        const int64_t count = page + 3 < pages ? 3 : pages - page;
        CHECK(remus_standby_copy(target, second, page, count) <= count);
        for (int records = rand() % 4; records > 0; records--) {
            const int64_t bytes = some_record(out);
            CHECK_EQUAL(0, remus_standby_apply(target, out, bytes));
            CHECK_EQUAL(0, remus_standby_apply(second, out, bytes));
        }
    }
    int64_t written = 0;
    for (int64_t page = 0; page < pages; page++) {
        victim_read(&standby, page, here);
        victim_read(&clone, page, there);
        CHECK(memcmp(here, there, REMUS_PAGE) == 0);
        written += here[0] != 0;
    }
    CHECK(written > 0);
    CHECK_EQUAL(-EINVAL, remus_standby_copy(target, second, pages - 1, 2));
    victim_stop(&clone);
    CHECK_EQUAL(-ESRCH, remus_standby_copy(target, second, 0, 1));
    remus_standby_close(second);
    remus_standby_close(target);
    victim_stop(&standby);
}

const struct test records_tests[] = {
    TEST(should_make_a_second_standby_equal_while_records_go_to_both),
    TEST(should_apply_records_of_one_page_in_their_order),
    TEST(should_send_only_what_the_peer_does_not_have),
    TEST(should_leave_out_zero_pages_only_until_they_were_sent),
    TEST(should_keep_the_peer_equal_with_any_cache_and_buffer),
    TEST(should_refuse_records_cut_at_any_byte),
    TEST(should_survive_any_changed_byte),
    TEST(should_refuse_each_kind_of_nonsense),
    TEST(should_pack_only_what_becomes_less),
    TEST(should_refuse_a_pack_cut_at_any_byte),
    TEST(should_survive_any_changed_byte_of_a_pack),
    TEST(should_refuse_each_pack_that_is_not_what_it_tells),
    TEST(should_make_a_second_process_equal),
    {0},
};
