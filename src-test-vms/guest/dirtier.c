// dirtier: writes guest pages at a set rate. TCP port 7001, one line a request:
//
//   rate <pages per second | max> <working set, pages> <bytes per page>   a few bytes in every page
//   touched random <pages per second | max> <working set, pages>                  whole pages of
//   random bytes stop                                                                  nothing more
//   is written stats                                                                 -> pages
//   touched since the start
//
// The pages of the working set are touched in turn, so that as many different pages are dirty in an
// epoch as the rate says. Where in the page the bytes change moves from touch to touch. The first
// order can also be given as arguments.
#include "lines.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define WORKING_SET_MAX 262144 // pages: 1 GiB, of which only what is touched is taken
#define TICK_NS 1000000
// After a pause the missed pages are not made up for in one burst: at most this much time counts.
#define CATCH_UP_NS (20 * TICK_NS)

static struct order {
    uint64_t pages_per_second; // 0: stopped, UINT64_MAX: as fast as it goes
    uint64_t working_set;
    uint64_t bytes; // PAGE: the whole page, random
} order;

static unsigned char *memory;
static uint64_t touched;
static uint64_t noise = 88172645463325252u;

static uint64_t next_noise(void) {
    noise ^= noise << 13;
    noise ^= noise >> 7;
    return noise ^= noise << 17;
}

static void touch(void) {
    unsigned char *page = memory + touched % order.working_set * PAGE;
    if (order.bytes == PAGE) {
        for (size_t i = 0; i < PAGE; i += sizeof noise)
            *(uint64_t *)(void *)(page + i) = next_noise();
    } else {
        uint64_t at = next_noise() % (PAGE - order.bytes + 1);
        for (uint64_t i = 0; i < order.bytes; i++)
            page[at + i] = (unsigned char)(touched + i + noise);
    }
    touched++;
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

// Reads "<rate> <working set> [<bytes>]"; returns 0 when every number is there and in its range.
static int parse(const char *text, uint64_t bytes, struct order *wanted) {
    char rate[24];
    int n = sscanf(text, "%23s %" SCNu64 " %" SCNu64, rate, &wanted->working_set, &bytes);
    wanted->bytes = bytes;
    wanted->pages_per_second = !strcmp(rate, "max") ? UINT64_MAX : strtoull(rate, NULL, 10);
    int good = n >= 2 && wanted->working_set >= 1 && wanted->working_set <= WORKING_SET_MAX &&
               bytes >= 1 && bytes <= PAGE;
    return good ? 0 : -1;
}

static size_t answer(const char *line, size_t length, char *reply) {
    (void)length;
    struct order wanted = {0};
    if (!strcmp(line, "stats"))
        return (size_t)sprintf(reply, "touched %" PRIu64 "\n", touched);
    if (!strcmp(line, "stop"))
        order.pages_per_second = 0;
    else if ((!strncmp(line, "rate ", 5) && !parse(line + 5, 0, &wanted)) ||
             (!strncmp(line, "random ", 7) && !parse(line + 7, PAGE, &wanted)))
        order = wanted;
    else
        return (size_t)sprintf(reply,
                               "error expected: rate <pages/s|max> <pages, at most %d> <bytes> | "
                               "random <pages/s|max> <pages> | stop | stats\n",
                               WORKING_SET_MAX);
    return (size_t)sprintf(reply, "ok\n");
}

// Touches what the rate owes for `elapsed` ns; returns the part of it that did not make a whole
// page yet.
static uint64_t work(uint64_t elapsed) {
    if (order.pages_per_second == UINT64_MAX) {
        for (int i = 0; i < 1000; i++)
            touch();
        return 0;
    }
    if (elapsed > CATCH_UP_NS)
        elapsed = CATCH_UP_NS;
    uint64_t owed = elapsed * order.pages_per_second / 1000000000;
    for (uint64_t i = 0; i < owed; i++)
        touch();
    return owed ? elapsed - owed * 1000000000 / order.pages_per_second : elapsed;
}

int main(int argc, char **argv) {
    memory = mmap(NULL, (size_t)WORKING_SET_MAX * PAGE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        perror("dirtier: memory");
        return 1;
    }
    if (argc == 2 && parse(argv[1], 0, &order)) {
        fprintf(stderr, "usage: dirtier ['<pages per second|max> <working set> <bytes>']\n");
        return 2;
    }
    nice(10); // the other workloads answer first
    struct line_server *server = lines_listen(7001, answer);
    uint64_t last = now_ns();
    for (;;) {
        int busy = order.pages_per_second == UINT64_MAX;
        lines_serve(server, order.pages_per_second ? 0 : -1);
        if (!busy && order.pages_per_second)
            nanosleep(&(struct timespec){.tv_nsec = TICK_NS}, NULL);
        uint64_t now = now_ns();
        last = order.pages_per_second ? now - work(now - last) : now;
    }
}
