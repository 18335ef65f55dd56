/* A test is a function named like a sentence; each runs in a process of its own, with a time limit.
 */
#ifndef REMUS_TEST_H
#define REMUS_TEST_H

#include "internal.h"
#include "victim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct test {
    const char *name;
    void (*run)(void);
};
#define TEST(name)                                                                                 \
    { #name, name }

extern const struct test tracker_tests[], inject_tests[], records_tests[], gate_tests[],
    queue_tests[], sparse_tests[], tap_tests[], hashes_tests[], states_tests[];

#define FAILED 1
#define SKIPPED 77

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "  %s:%d: not so: %s (errno %d)\n", __FILE__, __LINE__, #condition,    \
                    errno);                                                                        \
            exit(FAILED);                                                                          \
        }                                                                                          \
    } while (0)

#define CHECK_EQUAL(expected, actual)                                                              \
    do {                                                                                           \
        long long expected_ = (expected), actual_ = (actual);                                      \
        if (expected_ != actual_) {                                                                \
            fprintf(stderr, "  %s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #actual,        \
                    actual_, expected_);                                                           \
            exit(FAILED);                                                                          \
        }                                                                                          \
    } while (0)

/* Ends the test; the reason is shown. */
_Noreturn void skip(const char *reason);
/* Skips the test where pages cannot be write-protected. */
void need_write_protect(void);

#endif
