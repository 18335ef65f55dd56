// page-copy PAGES: how long the processor takes to copy that many pages of which a part was just
// written, in ms: the least that a checkpoint of them costs. The pages lie in runs of RUN in 1 GiB,
// 64 bytes of each were changed just before, and each round takes other ones, so that the rest of a
// page is in no cache. Median of ROUNDS rounds, the target warm.
#define _GNU_SOURCE // MAP_ANONYMOUS
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define PAGE 4096
#define RUN 16
#define GUEST_PAGES 262144
#define ROUNDS 51

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static char *memory(size_t pages) {
    char *found = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (found == MAP_FAILED) {
        perror("page-copy: memory");
        exit(1);
    }
    return found;
}

// The i-th page of a round. Whole runs lie within the memory.
static char *page(char *guest, size_t apart, size_t round, size_t i) {
    size_t run = (i / RUN * apart + round * RUN) % (GUEST_PAGES - RUN);
    return guest + (run + i % RUN) * PAGE;
}

int main(int argc, char **argv) {
    size_t pages = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    if (pages < 1 || pages > GUEST_PAGES / 2) {
        fprintf(stderr, "usage: page-copy PAGES   (at most %d)\n", GUEST_PAGES / 2);
        return 2;
    }
    char *guest = memory(GUEST_PAGES), *copy = memory(pages);
    size_t runs = (pages + RUN - 1) / RUN, apart = GUEST_PAGES / runs;
    double ms[ROUNDS];
    memset(guest, 1, (size_t)GUEST_PAGES * PAGE);
    memset(copy, 1, pages * PAGE);
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < pages; i++)
            memset(page(guest, apart, round, i), (int)round, 64);
        double begin = now_ms();
        for (size_t i = 0; i < pages; i += RUN)
            memcpy(copy + i * PAGE, page(guest, apart, round, i),
                   (pages - i < RUN ? pages - i : RUN) * PAGE);
        ms[round] = now_ms() - begin;
    }
    qsort(ms, ROUNDS, sizeof *ms, ascending);
    printf("%.4f\n", ms[ROUNDS / 2]);
}
