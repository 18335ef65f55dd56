// disk-writer FOLDER [SECOND-FOLDER]: writes to disks all the time, blocks that can be checked
// afterwards (see blocks.h). TCP port 7005, one line a request:
//
//   rate <blocks per second | max> <MiB>   in files of so many MiB together
//   stop                                   nothing more; answered when all is on the disks, so that
//                                             nothing is written later, either
//   stats                                  -> written <blocks since the start>
//   check                                  -> {"files":..,"blocks":..,"empty":..,"bad":..}, read
//                                             from the disk
//
// In turn: file 0 is overwritten in place past the page cache, file 1 through it, with fdatasync
// after every few writes; in the second folder, files from 2 on are made, synced, and removed when
// their number comes round, so that a file system mounted with "discard" gives blocks back.
#define _GNU_SOURCE // O_DIRECT, syncfs
#include "blocks.h"
#include "lines.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EXTENT_MAX 32 // blocks in one write
#define EXTENTS_UNSYNCED 8
#define FILES_MADE 64
#define MIB_MAX 256
#define BLOCKS_PER_MIB ((1 << 20) / BLOCK_BYTES)
#define TICK_NS 1000000
// After a pause the missed blocks are not made up for in one burst: at most this much time counts.
#define CATCH_UP_NS (20 * TICK_NS)

static struct order {
    uint64_t blocks_per_second; // 0: stopped, UINT64_MAX: as fast as it goes
    uint64_t mib;
} order;

static int folders[2] = {-1, -1};
static const char *paths[2];
static int direct, cached;
static uint64_t (*extent)[BLOCK_WORDS];
static uint64_t written, generation, turn;
static uint64_t noise = 88172645463325252u;

static uint64_t next_noise(void) {
    noise ^= noise << 13;
    noise ^= noise >> 7;
    return noise ^= noise << 17;
}

// A disk that does not take a write is the end of this program, and the guest's console says so.
static void must(int good, const char *what) {
    if (good)
        return;
    fprintf(stderr, "disk-writer: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void write_extent(int fd, uint64_t file, uint64_t first, uint64_t count) {
    generation++;
    for (uint64_t i = 0; i < count; i++)
        block_fill(extent[i], file, first + i, generation);
    ssize_t bytes = (ssize_t)(count * BLOCK_BYTES);
    must(pwrite(fd, extent, (size_t)bytes, (off_t)(first * BLOCK_BYTES)) == bytes, "write");
    written += count;
}

static void overwrite(int fd, uint64_t file) {
    uint64_t room = order.mib * BLOCKS_PER_MIB / 2, count = 1 + next_noise() % EXTENT_MAX;
    write_extent(fd, file, next_noise() % (room - count), count);
}

static void make_anew(void) {
    static uint64_t round;
    char name[24];
    uint64_t file = 2 + round++ % FILES_MADE;
    sprintf(name, "%" PRIu64, file);
    must(!unlinkat(folders[1], name, 0) || errno == ENOENT, "remove");
    int fd = openat(folders[1], name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    must(fd >= 0, "create");
    write_extent(fd, file, 0, 1 + next_noise() % EXTENT_MAX);
    must(!fsync(fd), "fsync");
    close(fd);
}

static void write_something(void) {
    turn++;
    if (turn % 3 == 0)
        overwrite(direct, 0);
    else if (turn % 3 == 1 || folders[1] < 0)
        overwrite(cached, 1);
    else
        make_anew();
    if (turn % (3 * EXTENTS_UNSYNCED) == 0)
        must(!fdatasync(cached), "fdatasync");
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int parse(const char *text, struct order *wanted) {
    char rate[24];
    int n = sscanf(text, "%23s %" SCNu64, rate, &wanted->mib);
    wanted->blocks_per_second = !strcmp(rate, "max") ? UINT64_MAX : strtoull(rate, NULL, 10);
    return n == 2 && wanted->mib >= 1 && wanted->mib <= MIB_MAX ? 0 : -1;
}

static size_t check(char *reply) {
    struct blocks_found found = {0};
    int failed = blocks_check(paths[0], &found) || (paths[1] && blocks_check(paths[1], &found));
    return failed ? (size_t)sprintf(reply, "{\"error\":\"%s\"}\n", strerror(errno))
                  : (size_t)sprintf(reply,
                                    "{\"files\":%" PRIu64 ",\"blocks\":%" PRIu64
                                    ",\"empty\":%" PRIu64 ",\"bad\":%" PRIu64 "}\n",
                                    found.files, found.blocks, found.empty, found.bad);
}

static int stop(void) {
    order.blocks_per_second = 0;
    return syncfs(folders[0]) || (folders[1] >= 0 && syncfs(folders[1]));
}

static size_t answer(const char *line, size_t length, char *reply) {
    (void)length;
    struct order wanted = {0};
    if (!strcmp(line, "stats"))
        return (size_t)sprintf(reply, "written %" PRIu64 "\n", written);
    if (!strcmp(line, "check"))
        return check(reply);
    if (!strcmp(line, "stop"))
        must(!stop(), "syncfs");
    else if (!strncmp(line, "rate ", 5) && !parse(line + 5, &wanted))
        order = wanted;
    else
        return (size_t)sprintf(reply,
                               "error expected: rate <blocks/s|max> <MiB, at most %d> | stop | "
                               "stats | check\n",
                               MIB_MAX);
    return (size_t)sprintf(reply, "ok\n");
}

// Writes what the rate owes for `elapsed` ns, in whole extents; returns the ns that are still owed
// (negative: written ahead).
static int64_t work(int64_t elapsed) {
    if (order.blocks_per_second == UINT64_MAX) {
        write_something();
        return 0;
    }
    if (elapsed > CATCH_UP_NS)
        elapsed = CATCH_UP_NS;
    if (elapsed <= 0)
        return elapsed;
    uint64_t before = written;
    write_something();
    return elapsed - (int64_t)((written - before) * 1000000000 / order.blocks_per_second);
}

static void open_folder(int which, const char *path) {
    must(!mkdir(path, 0755) || errno == EEXIST, path);
    paths[which] = path;
    folders[which] = open(path, O_DIRECTORY | O_CLOEXEC);
    must(folders[which] >= 0, path);
}

int main(int argc, char **argv) {
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: disk-writer FOLDER [SECOND-FOLDER]\n");
        return 2;
    }
    open_folder(0, argv[1]);
    if (argc == 3)
        open_folder(1, argv[2]);
    direct = openat(folders[0], "0", O_WRONLY | O_CREAT | O_CLOEXEC | O_DIRECT, 0644);
    must(direct >= 0, "file 0");
    cached = openat(folders[0], "1", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    must(cached >= 0, "file 1");
    extent = aligned_alloc(BLOCK_BYTES, EXTENT_MAX * BLOCK_BYTES);
    must(extent != NULL, "memory");
    generation = now_ns(); // another one after every start
    nice(10);              // the other workloads answer first
    struct line_server *server = lines_listen(7005, answer);
    uint64_t last = now_ns();
    int64_t owed = 0;
    for (;;) {
        lines_serve(server, order.blocks_per_second ? 0 : -1);
        uint64_t now = now_ns();
        owed = order.blocks_per_second ? work(owed + (int64_t)(now - last)) : 0;
        last = now;
        if (order.blocks_per_second && order.blocks_per_second != UINT64_MAX && owed <= 0)
            nanosleep(&(struct timespec){.tv_nsec = TICK_NS}, NULL);
    }
}
