/* What the steps of an epoch cost, on a process with 512 MiB of RAM of which 1,400 pages change. */
#include "victim.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PAGES (512 * 256)
#define DIRTY 1400
#define EPOCHS 50

static double now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void report(const char *step, double *ms) {
    qsort(ms, EPOCHS, sizeof *ms, ascending);
    double median = ms[EPOCHS / 2];
    printf("%-8s median %.3f ms  max %.3f ms  %.0f pages per ms\n", step, median, ms[EPOCHS - 1],
           DIRTY / median);
}

int main(void) {
    struct victim guest, standby;
    struct remus_tracker *tracker;
    struct remus_arena *arena;
    struct remus_encoder *encoder;
    struct remus_standby *target;
    struct remus_hashes *hashes;
    static double scan[EPOCHS], copy[EPOCHS], encode[EPOCHS], apply[EPOCHS], hash[EPOCHS];
    static uint8_t out[8 << 20];
    int64_t counts[REMUS_ENCODE_COUNTS] = {0};
    victim_start(&guest, VICTIM_ANONYMOUS, PAGES, 0);
    victim_start(&standby, VICTIM_ANONYMOUS, PAGES, 0);
    victim_fill(&guest, 0, PAGES, 1);
    int kind = remus_probe() & REMUS_WRITE_PROTECT ? REMUS_WRITE_PROTECT : REMUS_SHADOW;
    if (remus_tracker_open(guest.pid, kind, guest.blocks, 2, &tracker) < 0 ||
        remus_standby_open(standby.pid, standby.blocks, 2, &target) < 0 ||
        remus_hashes_open(guest.pid, guest.blocks, 2, &hashes) < 0 ||
        remus_arena_create(64 << 20, &arena) < 0 || remus_encoder_create(64 << 20, &encoder) < 0) {
        fprintf(stderr, "cannot start\n");
        return 1;
    }
    remus_tracker_scan(tracker);
    while (remus_tracker_copy(tracker, arena) > 0) {
    }
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        for (int i = 0; i < DIRTY; i++) { /* in runs of 50 pages */
            victim_poke(&guest, i / 50 * 3000 + i % 50, epoch * 8, epoch);
        }
        double begin = now_ms();
        remus_tracker_scan(tracker);
        double scanned = now_ms();
        remus_tracker_copy(tracker, arena);
        double copied = now_ms();
        int64_t bytes = remus_encode(encoder, arena, out, sizeof out, 1, 0, counts);
        double encoded = now_ms();
        if (remus_records_check(out, bytes, PAGES) < 0 ||
            remus_standby_apply(target, out, bytes) < 0) {
            return 1;
        }
        double applied = now_ms();
        remus_hashes_arena(hashes, arena);
        hash[epoch] = now_ms() - applied;
        apply[epoch] = applied - encoded;
        encode[epoch] = encoded - copied;
        copy[epoch] = copied - scanned;
        scan[epoch] = scanned - begin;
    }
    report("scan", scan);
    report("copy", copy);
    report("encode", encode);
    report("apply", apply);
    report("hash", hash);
    double begin = now_ms();
    if (remus_hashes_step(hashes, PAGES) != 0) {
        return 1;
    }
    printf("all %d pages hashed where they lie: %.0f ms\n", PAGES, now_ms() - begin);
    remus_hashes_close(hashes);
    remus_tracker_close(tracker);
    victim_stop(&guest);
    victim_stop(&standby);
    return 0;
}
