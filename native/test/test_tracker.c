#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>

#define PAGES 3000

static struct remus_tracker *open_tracker(struct victim *victim, int kind) {
    struct remus_tracker *tracker;
    if (kind == REMUS_WRITE_PROTECT) {
        need_write_protect();
    }
    if (kind == REMUS_SOFT_DIRTY && (remus_probe() & kind) == 0) {
        skip("this kernel has no soft-dirty bits");
    }
    CHECK_EQUAL(0, remus_tracker_open(victim->pid, kind, victim->blocks, 2, &tracker));
    return tracker;
}

static void expect_pending(struct remus_tracker *tracker, const uint8_t *expected) {
    for (int64_t page = 0; page < tracker->ram.pages; page++) {
        if (tracker_is_pending(tracker, page) != (expected[page] != 0)) {
            fprintf(stderr, "  page %ld is%s pending\n", (long)page, expected[page] ? " not" : "");
            exit(FAILED);
        }
    }
}

static void take_all(struct remus_tracker *tracker, struct remus_arena *arena) {
    while (remus_tracker_copy(tracker, arena) > 0) {
    }
    CHECK_EQUAL(0, tracker->pending_pages);
}

static void find_every_write(int kind, enum victim_memory memory) {
    struct victim victim;
    struct remus_arena *arena;
    uint8_t expected[PAGES] = {0};
    CHECK_EQUAL(0, remus_arena_create(PAGES * REMUS_PAGE, &arena));
    victim_start(&victim, memory, PAGES, 2);
    victim_fill(&victim, 100, 50, 1);
    struct remus_tracker *tracker = open_tracker(&victim, kind);
    bool all = memory == VICTIM_MEMFD && kind != REMUS_SHADOW;
    memset(expected, all, PAGES);
    memset(expected + 100, 1, 50);
    CHECK_EQUAL(all ? PAGES : 50, remus_tracker_scan(tracker));
    expect_pending(tracker, expected);
    take_all(tracker, arena);
    srand(7);
    for (int round = 0; round < 40; round++) {
        memset(expected, 0, PAGES);
        int64_t wanted = 0;
        for (int i = rand() % 200; i > 0; i--) {
            int64_t page = rand() % PAGES;
            victim_poke(&victim, page, rand() % REMUS_PAGE, 1 + round);
            victim_touch(&victim, page);
            expected[page] = 1;
        }
        for (int i = 0; i < PAGES; i++) {
            wanted += expected[i];
        }
        int64_t found = remus_tracker_scan(tracker);
        if (kind != REMUS_SHADOW) { /* which does not see a write of the same value */
            CHECK_EQUAL(wanted, found);
            expect_pending(tracker, expected);
        }
        CHECK_EQUAL(found, remus_tracker_scan(tracker)); /* nothing is found twice or forgotten */
        take_all(tracker, arena);
        CHECK_EQUAL(0, remus_tracker_scan(tracker)); /* copying is no write */
    }
    remus_tracker_close(tracker);
    remus_arena_destroy(arena);
    victim_stop(&victim);
}

static void should_find_every_write_to_anonymous_memory(void) {
    find_every_write(REMUS_WRITE_PROTECT, VICTIM_ANONYMOUS);
}

static void should_find_every_write_to_shared_memory(void) {
    find_every_write(REMUS_WRITE_PROTECT, VICTIM_MEMFD);
}

static void should_find_every_write_of_a_kvm_guest(void) {
    need_write_protect();
    if (access("/dev/kvm", R_OK | W_OK) < 0) {
        skip("no /dev/kvm");
    }
    find_every_write(REMUS_WRITE_PROTECT, VICTIM_KVM);
}

static void should_find_every_write_by_comparing(void) {
    find_every_write(REMUS_SHADOW, VICTIM_ANONYMOUS);
}

static void should_find_every_write_by_soft_dirty_bits(void) {
    find_every_write(REMUS_SOFT_DIRTY, VICTIM_ANONYMOUS);
}

static void should_find_every_write_to_shared_memory_by_soft_dirty_bits(void) {
    find_every_write(REMUS_SOFT_DIRTY, VICTIM_MEMFD);
}

/* What a balloon gives back reads as zeros: to a standby that is a write like any other. */
static void find_every_discard(int kind, enum victim_memory memory) {
    struct victim victim;
    struct remus_arena *arena;
    uint8_t expected[PAGES] = {0};
    CHECK_EQUAL(0, remus_arena_create(PAGES * REMUS_PAGE, &arena));
    victim_start(&victim, memory, PAGES, 1);
    victim_fill(&victim, 900, 200, 7); /* in both blocks */
    struct remus_tracker *tracker = open_tracker(&victim, kind);
    remus_tracker_scan(tracker);
    take_all(tracker, arena);
    for (int round = 0; round < 3; round++) {
        int64_t first = 910 + round * 60;
        victim_discard(&victim, first, 40);
        for (int64_t page = first; page < first + 40; page += 4) {
            victim_poke(&victim, page + 1, 0, 1);
            if (memory != VICTIM_MEMFD) {
                victim_touch(&victim, page); /* reads zeros */
            }
        }
        memset(expected, 0, PAGES);
        memset(expected + first, 1, 40);
        CHECK_EQUAL(40, remus_tracker_scan(tracker));
        expect_pending(tracker, expected);
        CHECK_EQUAL(0, remus_tracker_copy(tracker, arena));
        for (int64_t i = 0; i < 40; i++) {
            CHECK_EQUAL(i % 4 == 1, arena->data[i * REMUS_PAGE]);
            CHECK_EQUAL(0, arena->data[i * REMUS_PAGE + REMUS_PAGE - 1]);
        }
        CHECK_EQUAL(0, remus_tracker_scan(tracker)); /* nothing is found twice */
    }
    remus_tracker_close(tracker);
    remus_arena_destroy(arena);
    victim_stop(&victim);
}

static void should_find_every_discard_of_anonymous_memory(void) {
    find_every_discard(REMUS_WRITE_PROTECT, VICTIM_ANONYMOUS);
}

static void should_find_every_discard_of_shared_memory(void) {
    find_every_discard(REMUS_WRITE_PROTECT, VICTIM_MEMFD);
}

static void should_find_every_discard_of_a_kvm_guest(void) {
    need_write_protect();
    if (access("/dev/kvm", R_OK | W_OK) < 0) {
        skip("no /dev/kvm");
    }
    find_every_discard(REMUS_WRITE_PROTECT, VICTIM_KVM);
}

static void should_find_every_discard_by_comparing(void) {
    find_every_discard(REMUS_SHADOW, VICTIM_ANONYMOUS);
}

static void should_find_every_discard_by_soft_dirty_bits(void) {
    find_every_discard(REMUS_SOFT_DIRTY, VICTIM_ANONYMOUS);
}

static void should_find_every_discard_of_shared_memory_by_soft_dirty_bits(void) {
    find_every_discard(REMUS_SOFT_DIRTY, VICTIM_MEMFD);
}

/* Reads a number of the kernel's page merging, or sets it. */
static int ksm(const char *name, const char *value) {
    char path[64], text[32] = {0};
    snprintf(path, sizeof path, "/sys/kernel/mm/ksm/%s", name);
    int fd = open(path, value ? O_WRONLY : O_RDONLY);
    if (fd < 0) {
        skip("no KSM, or not root");
    }
    CHECK(value ? write(fd, value, strlen(value)) > 0 : read(fd, text, sizeof text - 1) > 0);
    close(fd);
    return atoi(text);
}

static void should_find_a_write_that_ksm_hides(void) {
    struct victim victim;
    struct remus_arena *arena;
    CHECK_EQUAL(0, remus_arena_create(PAGES * REMUS_PAGE, &arena));
    victim_start(&victim, VICTIM_MERGEABLE, PAGES, 0);
    victim_fill(&victim, 100, 10, 5);
    victim_fill(&victim, 200, 1, 9);
    struct remus_tracker *tracker = open_tracker(&victim, REMUS_SOFT_DIRTY);
    CHECK((remus_probe() & REMUS_SOFT_DIRTY) != 0);
    ksm("run", "1");
    CHECK((remus_probe() & REMUS_SOFT_DIRTY) == 0); /* there is better then */
    for (int64_t end = now_ns() + 20000000000ll; ksm("pages_sharing", NULL) < 9;) {
        CHECK(now_ns() < end);
        usleep(1000);
    }
    CHECK_EQUAL(11, remus_tracker_scan(tracker));
    take_all(tracker, arena);
    int sharing = ksm("pages_sharing", NULL);
    victim_fill(&victim, 200, 1, 5);
    for (int64_t end = now_ns() + 20000000000ll; ksm("pages_sharing", NULL) <= sharing;) {
        CHECK(now_ns() < end);
        usleep(1000);
    }
    ksm("run", "0"); /* what it did before the scan counts all the same */
    CHECK_EQUAL(11, remus_tracker_scan(tracker));
    take_all(tracker, arena);
    CHECK_EQUAL(0, remus_tracker_scan(tracker));
    remus_tracker_close(tracker);
    remus_arena_destroy(arena);
    victim_stop(&victim);
}

static void should_copy_what_is_there_in_runs_that_fit(void) {
    struct victim victim;
    struct remus_arena *arena;
    CHECK_EQUAL(0, remus_arena_create(10 * REMUS_PAGE, &arena));
    victim_start(&victim, VICTIM_ANONYMOUS, PAGES, 0);
    for (int i = 0; i < 25; i++) {
        victim_fill(&victim, PAGES / 3 - 12 + i, 1, 100 + i); /* across both blocks */
    }
    struct remus_tracker *tracker = open_tracker(&victim, REMUS_SHADOW);
    CHECK_EQUAL(25, remus_tracker_scan(tracker));
    CHECK_EQUAL(15, remus_tracker_copy(tracker, arena));
    CHECK_EQUAL(5, remus_tracker_copy(tracker, arena));
    CHECK_EQUAL(0, remus_tracker_copy(tracker, arena));
    CHECK_EQUAL(5, arena->pages);
    CHECK_EQUAL(1, arena->run_count);
    CHECK_EQUAL(PAGES / 3 + 8, arena->runs[0].page);
    for (int i = 0; i < 5; i++) {
        CHECK_EQUAL(120 + i, arena->data[i * REMUS_PAGE]);
        CHECK_EQUAL(120 + i, arena->data[i * REMUS_PAGE + REMUS_PAGE - 1]);
    }
    remus_tracker_close(tracker);
    remus_arena_destroy(arena);
    victim_stop(&victim);
}

static void should_give_back_all_of_an_epoch_that_took_several_arenas(void) {
    struct victim victim;
    struct remus_arena *arena;
    CHECK_EQUAL(0, remus_arena_create(10 * REMUS_PAGE, &arena));
    victim_start(&victim, VICTIM_ANONYMOUS, PAGES, 0);
    victim_fill(&victim, 60, 25, 3);
    struct remus_tracker *tracker = open_tracker(&victim, REMUS_SHADOW);
    CHECK_EQUAL(25, remus_tracker_scan(tracker));
    tracker_begin(tracker);
    CHECK_EQUAL(15, remus_tracker_copy(tracker, arena));
    CHECK_EQUAL(5, remus_tracker_copy(tracker, arena));
    tracker_give_back(tracker);
    CHECK_EQUAL(25, tracker->pending_pages);
    uint8_t expected[PAGES] = {0};
    memset(expected + 60, 1, 25);
    expect_pending(tracker, expected);
    remus_tracker_close(tracker);
    remus_arena_destroy(arena);
    victim_stop(&victim);
}

static void should_keep_pages_pending_when_the_victim_dies(void) {
    struct victim victim;
    struct remus_arena *arena;
    CHECK_EQUAL(0, remus_arena_create(100 * REMUS_PAGE, &arena));
    victim_start(&victim, VICTIM_ANONYMOUS, PAGES, 1);
    victim_fill(&victim, 60, 25, 3);
    struct remus_tracker *tracker = open_tracker(&victim, REMUS_WRITE_PROTECT);
    CHECK_EQUAL(25, remus_tracker_scan(tracker));
    victim_stop(&victim);
    CHECK_EQUAL(-ESRCH, remus_tracker_copy(tracker, arena));
    CHECK_EQUAL(25, tracker->pending_pages);
    CHECK_EQUAL(-ESRCH, remus_tracker_scan(tracker));
    remus_tracker_close(tracker);
    remus_arena_destroy(arena);
}

static int count_userfaultfds(pid_t pid) {
    char path[300], target[64];
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *directory = opendir(path);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        snprintf(path, sizeof path, "/proc/%d/fd/%s", pid, entry->d_name);
        ssize_t bytes = readlink(path, target, sizeof target - 1);
        target[bytes > 0 ? bytes : 0] = 0;
        count += strcmp(target, "anon_inode:[userfaultfd]") == 0;
    }
    closedir(directory);
    return count;
}

static void should_leave_no_descriptor_behind(void) {
    struct victim victim;
    victim_start(&victim, VICTIM_ANONYMOUS, PAGES, 2);
    for (int i = 0; i < 20; i++) {
        struct remus_tracker *tracker = open_tracker(&victim, REMUS_WRITE_PROTECT);
        CHECK_EQUAL(1, count_userfaultfds(victim.pid));
        remus_tracker_close(tracker);
        CHECK_EQUAL(0, count_userfaultfds(victim.pid));
    }
    victim_stop(&victim);
}

static void should_take_over_what_a_crashed_agent_left(void) {
    struct victim victim;
    uint8_t expected[PAGES] = {0};
    victim_start(&victim, VICTIM_ANONYMOUS, PAGES, 2);
    victim_fill(&victim, 10, 20, 3);
    pid_t agent = fork();
    if (agent == 0) {
        struct remus_tracker *tracker = open_tracker(&victim, REMUS_WRITE_PROTECT);
        CHECK_EQUAL(20, remus_tracker_scan(tracker));
        _exit(0); /* without closing anything */
    }
    int status;
    waitpid(agent, &status, 0);
    if (status != 0) {
        exit(WEXITSTATUS(status));
    }
    victim_fill(&victim, 2000, 5, 4);
    CHECK_EQUAL(1, count_userfaultfds(victim.pid));
    struct remus_tracker *tracker = open_tracker(&victim, REMUS_WRITE_PROTECT);
    CHECK_EQUAL(1, count_userfaultfds(victim.pid));
    memset(expected + 10, 1, 20);
    memset(expected + 2000, 1, 5);
    CHECK_EQUAL(25, remus_tracker_scan(tracker)); /* all that has content, protected or not */
    expect_pending(tracker, expected);
    remus_tracker_close(tracker);
    CHECK_EQUAL(0, count_userfaultfds(victim.pid));
    victim_stop(&victim);
}

static void should_refuse_blocks_that_are_not_there(void) {
    struct victim victim;
    struct remus_tracker *tracker;
    victim_start(&victim, VICTIM_ANONYMOUS, PAGES, 0);
    struct remus_block odd = {victim.blocks[0].address + 1, REMUS_PAGE};
    struct remus_block absent = {REMUS_PAGE, REMUS_PAGE};
    CHECK_EQUAL(-EINVAL, remus_tracker_open(victim.pid, REMUS_SHADOW, &odd, 1, &tracker));
    CHECK_EQUAL(-EFAULT, remus_tracker_open(victim.pid, REMUS_SHADOW, &absent, 1, &tracker));
    CHECK_EQUAL(-EINVAL, remus_tracker_open(victim.pid, 0, victim.blocks, 2, &tracker));
    victim_stop(&victim);
    CHECK_EQUAL(-ESRCH, remus_tracker_open(victim.pid, REMUS_SHADOW, victim.blocks, 2, &tracker));
}

const struct test tracker_tests[] = {
    TEST(should_find_every_write_to_anonymous_memory),
    TEST(should_find_every_write_to_shared_memory),
    TEST(should_find_every_write_of_a_kvm_guest),
    TEST(should_find_every_write_by_comparing),
    TEST(should_find_every_write_by_soft_dirty_bits),
    TEST(should_find_every_write_to_shared_memory_by_soft_dirty_bits),
    TEST(should_find_every_discard_of_anonymous_memory),
    TEST(should_find_every_discard_of_shared_memory),
    TEST(should_find_every_discard_of_a_kvm_guest),
    TEST(should_find_every_discard_by_comparing),
    TEST(should_find_every_discard_by_soft_dirty_bits),
    TEST(should_find_every_discard_of_shared_memory_by_soft_dirty_bits),
    TEST(should_find_a_write_that_ksm_hides),
    TEST(should_copy_what_is_there_in_runs_that_fit),
    TEST(should_give_back_all_of_an_epoch_that_took_several_arenas),
    TEST(should_keep_pages_pending_when_the_victim_dies),
    TEST(should_leave_no_descriptor_behind),
    TEST(should_take_over_what_a_crashed_agent_left),
    TEST(should_refuse_blocks_that_are_not_there),
    {0},
};
