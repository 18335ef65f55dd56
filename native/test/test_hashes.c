#include "test.h"

#include <fcntl.h>

#define PAGES 3000
#define SUMS 13 /* blocks of 1,000 and 2,000 pages: 4 and 8, and one that must stay as it is */

static void should_hash_a_page_as_xxh64_does(void) {
    uint8_t page[REMUS_PAGE] = {0};
    CHECK(hash_page(page, 5) == 0x039258435aa12414ull);
    for (int i = 0; i < REMUS_PAGE; i++) {
        page[i] = i * 7 + i / 256;
    }
    CHECK(hash_page(page, 0) == 0x2f2095dbb4b78856ull);
    CHECK(hash_page(page, 77) == 0x1cef1db032631843ull);
}

static struct remus_hashes *open_hashes(const struct victim *victim) {
    struct remus_hashes *hashes;
    CHECK_EQUAL(0, remus_hashes_open(victim->pid, victim->blocks, 2, &hashes));
    return hashes;
}

static void take_sums(const struct remus_hashes *hashes, uint64_t *sums) {
    sums[SUMS - 1] = 4711;
    CHECK_EQUAL(-ENOSPC, remus_hashes_sums(hashes, sums, SUMS - 2));
    CHECK_EQUAL(SUMS - 1, remus_hashes_sums(hashes, sums, SUMS));
    CHECK_EQUAL(4711, sums[SUMS - 1]);
}

/* All hashed anew. */
static void sums_now(const struct victim *victim, uint64_t *sums) {
    struct remus_hashes *hashes = open_hashes(victim);
    CHECK_EQUAL(0, remus_hashes_step(hashes, PAGES));
    take_sums(hashes, sums);
    remus_hashes_close(hashes);
}

static void should_hash_no_more_than_it_is_asked_to(void) {
    struct victim victim;
    victim_start(&victim, VICTIM_ANONYMOUS, PAGES, 0);
    struct remus_hashes *hashes = open_hashes(&victim);
    CHECK_EQUAL(PAGES - 100, remus_hashes_step(hashes, 100));
    CHECK_EQUAL(PAGES - 101, remus_hashes_step(hashes, 1));
    CHECK_EQUAL(0, remus_hashes_step(hashes, PAGES));
    CHECK_EQUAL(0, remus_hashes_step(hashes, 1));
    remus_hashes_close(hashes);
    victim_stop(&victim);
}

static void should_find_one_changed_byte_in_its_mib_and_no_other(void) {
    struct victim victim;
    uint64_t before[SUMS], after[SUMS];
    victim_start(&victim, VICTIM_ANONYMOUS, PAGES, 0);
    victim_fill(&victim, 0, PAGES, 1);
    const struct {
        int64_t page;
        int sum;
    } cases[] = {{0, 0}, {255, 0}, {256, 1}, {999, 3}, {1000, 4}, {1255, 4}, {1256, 5}, {2999, 11}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sums_now(&victim, before);
        victim_poke(&victim, cases[i].page, 4095, 2);
        sums_now(&victim, after);
        for (int sum = 0; sum < SUMS - 1; sum++) {
            CHECK_EQUAL(sum == cases[i].sum, before[sum] != after[sum]);
        }
    }
    victim_stop(&victim);
}

static void should_tell_two_pages_that_changed_places(void) {
    struct victim victim;
    uint64_t before[SUMS], after[SUMS];
    victim_start(&victim, VICTIM_ANONYMOUS, PAGES, 0);
    victim_fill(&victim, 7, 1, 1);
    victim_fill(&victim, 8, 1, 2);
    sums_now(&victim, before);
    victim_fill(&victim, 7, 1, 2);
    victim_fill(&victim, 8, 1, 1);
    sums_now(&victim, after);
    CHECK(before[0] != after[0]);
    victim_stop(&victim);
}

static int count_populated(void *context, int64_t page, int64_t count) {
    (void)page;
    *(int64_t *)context += count;
    return 0;
}

static void should_populate_no_page_it_hashes(void) {
    struct victim victim;
    victim_start(&victim, VICTIM_ANONYMOUS, PAGES, 0);
    victim_fill(&victim, 500, 20, 1);
    struct remus_hashes *hashes = open_hashes(&victim);
    CHECK_EQUAL(0, remus_hashes_step(hashes, PAGES));
    struct ram ram;
    CHECK_EQUAL(0, ram_open(&ram, victim.pid, victim.blocks, 2));
    int pagemap = ram_proc(&ram, "pagemap", O_RDONLY);
    int64_t populated = 0;
    for (int i = 0; i < ram.count; i++) {
        CHECK_EQUAL(
            0, ram_pagemap(pagemap, &ram.parts[i], PAGEMAP_POPULATED, count_populated, &populated));
    }
    CHECK_EQUAL(20, populated);
    close(pagemap);
    ram_close(&ram);
    remus_hashes_close(hashes);
    victim_stop(&victim);
}

static void should_tell_when_the_process_is_gone(void) {
    struct victim victim;
    victim_start(&victim, VICTIM_ANONYMOUS, PAGES, 0);
    struct remus_hashes *hashes = open_hashes(&victim);
    victim_stop(&victim);
    CHECK_EQUAL(-ESRCH, remus_hashes_step(hashes, PAGES));
    remus_hashes_close(hashes);
}

/* A guest and its standby, as the two hosts have them. */
struct pair {
    struct victim guest, standby;
    struct remus_tracker *tracker;
    struct remus_arena *arena;
    struct remus_encoder *encoder;
    struct remus_standby *target;
    struct remus_hashes *here, *there;
};

static void replicate(struct pair *pair) {
    static uint8_t out[256 * 1024];
    int64_t counts[REMUS_ENCODE_COUNTS] = {0};
    for (int64_t bytes;
         (bytes = remus_encode(pair->encoder, pair->arena, out, sizeof out, 0, 1, counts)) > 0;) {
        CHECK_EQUAL(0, remus_standby_apply(pair->target, out, bytes));
        CHECK_EQUAL(0, remus_hashes_records(pair->there, out, bytes));
    }
}

/* The guest goes on while the table is made and kept right, epoch by epoch, and both ends agree. */
static void agree(int kind, enum victim_memory memory) {
    struct pair pair;
    uint64_t here[SUMS], there[SUMS], fresh[SUMS];
    victim_start(&pair.guest, memory, PAGES, 0);
    victim_start(&pair.standby, VICTIM_ANONYMOUS, PAGES, 0);
    victim_fill(&pair.guest, 300, 1500, 1);
    CHECK_EQUAL(0, remus_arena_create(PAGES * REMUS_PAGE, &pair.arena));
    CHECK_EQUAL(0, remus_encoder_create(PAGES * REMUS_PAGE / 4, &pair.encoder));
    CHECK_EQUAL(0, remus_tracker_open(pair.guest.pid, kind, pair.guest.blocks, 2, &pair.tracker));
    CHECK_EQUAL(0, remus_standby_open(pair.standby.pid, pair.standby.blocks, 2, &pair.target));
    pair.here = open_hashes(&pair.guest);
    pair.there = open_hashes(&pair.standby);
    srand(11);
    int exact = 0;
    for (int epoch = 0; epoch < 60; epoch++) {
        for (int i = rand() % 100; i > 0; i--) {
            victim_poke(&pair.guest, rand() % PAGES, rand() % REMUS_PAGE, rand());
        }
        bool all = remus_hashes_step(pair.here, 90) == 0; /* with writes that no epoch has yet */
        victim_fill(&pair.guest, rand() % (PAGES - 10), rand() % 10, rand() % 2);
        CHECK(remus_tracker_scan(pair.tracker) >= 0);
        CHECK_EQUAL(0, remus_tracker_copy(pair.tracker, pair.arena));
        replicate(&pair);
        remus_hashes_arena(pair.here, pair.arena);
        victim_poke(&pair.guest, rand() % PAGES, 9, rand()); /* of the next epoch */
        CHECK(remus_hashes_step(pair.there, 70) >= 0);
        if (all) {
            CHECK_EQUAL(0, remus_hashes_step(pair.there, PAGES));
            take_sums(pair.here, here);
            take_sums(pair.there, there);
            sums_now(&pair.standby, fresh);
            CHECK(memcmp(here, there, sizeof here) == 0);
            CHECK(memcmp(fresh, there, sizeof here) == 0);
            exact++;
        }
    }
    CHECK(exact > 10);
    remus_hashes_close(pair.here);
    remus_hashes_close(pair.there);
    remus_tracker_close(pair.tracker);
    remus_standby_close(pair.target);
    remus_encoder_destroy(pair.encoder);
    remus_arena_destroy(pair.arena);
    victim_stop(&pair.guest);
    victim_stop(&pair.standby);
}

static void should_agree_with_the_standby_at_every_epoch(void) {
    agree(REMUS_SHADOW, VICTIM_ANONYMOUS);
}

static void should_agree_with_the_standby_of_a_write_protected_guest(void) {
    need_write_protect();
    agree(REMUS_WRITE_PROTECT, VICTIM_ANONYMOUS);
}

static void should_agree_with_the_standby_of_a_guest_in_a_file(void) {
    agree(REMUS_SHADOW, VICTIM_MEMFD);
}

const struct test hashes_tests[] = {
    TEST(should_hash_a_page_as_xxh64_does),
    TEST(should_hash_no_more_than_it_is_asked_to),
    TEST(should_find_one_changed_byte_in_its_mib_and_no_other),
    TEST(should_tell_two_pages_that_changed_places),
    TEST(should_populate_no_page_it_hashes),
    TEST(should_tell_when_the_process_is_gone),
    TEST(should_agree_with_the_standby_at_every_epoch),
    TEST(should_agree_with_the_standby_of_a_write_protected_guest),
    TEST(should_agree_with_the_standby_of_a_guest_in_a_file),
    {0},
};
