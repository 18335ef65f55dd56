#include "test.h"

#include <zstd.h>

#define BYTES 60000

static uint8_t state[BYTES], packed[BYTES + 1000];

/* Nothing like what it was. */
static void fill(unsigned seed) {
    srandom(seed);
    for (int i = 0; i < BYTES; i++) {
        state[i] = random();
    }
}

static int64_t pack(struct remus_states *states, int64_t bytes) {
    const void *out;
    int64_t size = remus_states_pack(states, state, bytes, &out);
    CHECK(size > 0 && size <= (int64_t)sizeof packed);
    memcpy(packed, out, size);
    return size;
}

static void expect_unpacked(struct remus_states *states, int64_t size, int64_t bytes) {
    const void *out;
    CHECK_EQUAL(bytes, remus_states_unpack(states, packed, size, &out));
    CHECK_EQUAL(0, memcmp(state, out, bytes));
}

static void expect_bad(struct remus_states *states, int64_t size) {
    const void *out;
    uint8_t *exact = malloc(size ? size : 1); /* one byte too far is seen */
    memcpy(exact, packed, size);
    CHECK_EQUAL(-EBADMSG, remus_states_unpack(states, exact, size, &out));
    free(exact);
}

static void both(struct remus_states **here, struct remus_states **there) {
    CHECK_EQUAL(0, remus_states_create(here));
    CHECK_EQUAL(0, remus_states_create(there));
}

static void should_send_little_of_a_state_like_the_one_before(void) {
    struct remus_states *here, *there;
    both(&here, &there);
    fill(1);
    expect_unpacked(there, pack(here, BYTES), BYTES);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 40; i++) {
            state[random() % BYTES] = random();
        }
        memmove(state + 1000, state + 992, 500); /* and some of it moves */
        int64_t size = pack(here, BYTES - round);
        CHECK(size < 2000);
        expect_unpacked(there, size, BYTES - round);
    }
    fill(2);
    expect_unpacked(there, pack(here, BYTES), BYTES);
    expect_unpacked(there, pack(here, 1), 1);
    expect_unpacked(there, pack(here, BYTES), BYTES);
    remus_states_destroy(here);
    remus_states_destroy(there);
}

static void should_refuse_a_state_that_no_guest_has(void) {
    struct remus_states *here, *there;
    const void *out;
    both(&here, &there);
    CHECK_EQUAL(-EINVAL, remus_states_pack(here, state, 0, &out));
    CHECK_EQUAL(-EINVAL, remus_states_pack(here, state, REMUS_STATE_MOST + 1, &out));
    uint8_t *huge = calloc(1, REMUS_STATE_MOST + 1);
    CHECK(!ZSTD_isError(ZSTD_compress(packed, sizeof packed, huge, 0, 1)));
    expect_bad(there, ZSTD_compress(packed, sizeof packed, huge, 0, 1));
    expect_bad(there, ZSTD_compress(packed, sizeof packed, huge, REMUS_STATE_MOST + 1, 1));
    int64_t size = remus_states_pack(here, huge, REMUS_STATE_MOST, &out);
    CHECK_EQUAL(REMUS_STATE_MOST, remus_states_unpack(there, out, size, &out));
    free(huge);
    remus_states_destroy(here);
    remus_states_destroy(there);
}

static void should_refuse_what_is_no_packed_state_and_stay_where_it_was(void) {
    struct remus_states *here, *there;
    both(&here, &there);
    fill(3);
    expect_unpacked(there, pack(here, BYTES), BYTES);
    state[5] ^= 1;
    int64_t size = pack(here, BYTES);
    for (int64_t cut = 0; cut < size; cut++) {
        expect_bad(there, cut);
    }
    memset(packed + size, 0, 1);
    expect_bad(there, size + 1);
    packed[0] ^= 1;
    expect_bad(there, size);
    packed[0] ^= 1;
    expect_unpacked(there, size, BYTES);
    for (int round = 0; round < 20000; round++) { /* whatever comes of it, the sanitizers see it */
        const void *out;
        uint8_t *bad = malloc(size);
        memcpy(bad, packed, size);
        for (int flips = random() % 4; flips >= 0; flips--) {
            bad[random() % size] ^= 1 << random() % 8;
        }
        (void)remus_states_unpack(there, bad, size, &out);
        free(bad);
    }
    remus_states_destroy(here);
    remus_states_destroy(there);
}

const struct test states_tests[] = {
    TEST(should_send_little_of_a_state_like_the_one_before),
    TEST(should_refuse_a_state_that_no_guest_has),
    TEST(should_refuse_what_is_no_packed_state_and_stay_where_it_was),
    {0},
};
