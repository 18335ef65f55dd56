// disk-bench FOLDER: measured workloads on a disk, on TCP port 7004. One request at a time; each is
// answered with one line of JSON when it is done. What was written before is on the disk when a
// workload begins, and what it wrote is there before its time is taken: the page cache must not
// carry work from one to the next.
//
//   seqwrite MIB   a new file, written in pieces of 1 MiB through the page cache, then fsync
//   read MIB       that file, read past the page cache
//   fsync COUNT    appends of 4 KiB, each followed by fdatasync
//   files COUNT    as Postmark does: COUNT small files are made; COUNT transactions, each of which
//                  reads or extends one file and makes or removes one; all are removed. syncfs
//                  after each of the three, or files that are gone again would never reach the disk
//   cdrom          the CD-ROM, read from its beginning to its end: is it the lab's?
#define _GNU_SOURCE // O_DIRECT, syncfs
#include "lines.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MIB (1 << 20)
#define COUNT_MAX 100000
#define FOLDERS 10
#define FILE_MIN 512
#define FILE_MAX 16384

static int folder;
static char *buffer; // 1 MiB of noise, then whatever was read
static uint64_t noise = 88172645463325252u;

static uint64_t next_noise(void) {
    noise ^= noise << 13;
    noise ^= noise >> 7;
    return noise ^= noise << 17;
}

static void refresh_buffer(void) {
    for (size_t i = 0; i < MIB; i += sizeof noise)
        *(uint64_t *)(void *)(buffer + i) = next_noise();
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int open_new(const char *name) {
    unlinkat(folder, name, 0);
    return openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
}

// Every workload returns the length of its reply, or 0 with errno.

static size_t seqwrite(uint64_t mib, char *reply) {
    int fd = open_new("sequential"), failed = fd < 0;
    refresh_buffer();
    double start = seconds();
    for (uint64_t i = 0; i < mib && !failed; i++) {
        for (size_t at = 0; at < MIB; at += 4096) // no two blocks alike
            *(uint64_t *)(void *)(buffer + at) = next_noise();
        failed = write(fd, buffer, MIB) != MIB;
    }
    failed = failed || fsync(fd);
    double took = seconds() - start;
    if (fd >= 0)
        close(fd);
    return failed ? 0
                  : (size_t)sprintf(reply,
                                    "{\"workload\":\"seqwrite\",\"mib\":%" PRIu64
                                    ",\"seconds\":%.3f,\"mib_per_s\":%.1f}\n",
                                    mib, took, (double)mib / took);
}

static size_t read_back(uint64_t mib, char *reply) {
    int fd = openat(folder, "sequential", O_RDONLY | O_CLOEXEC | O_DIRECT), failed = fd < 0;
    double start = seconds();
    for (uint64_t i = 0; i < mib && !failed; i++) {
        errno = ENODATA; // seqwrite wrote less than that
        failed = read(fd, buffer, MIB) != MIB;
    }
    double took = seconds() - start;
    if (fd >= 0)
        close(fd);
    return failed ? 0
                  : (size_t)sprintf(reply,
                                    "{\"workload\":\"read\",\"mib\":%" PRIu64
                                    ",\"seconds\":%.3f,\"mib_per_s\":%.1f}\n",
                                    mib, took, (double)mib / took);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static size_t fsyncs(uint64_t count, char *reply) {
    static double ms[COUNT_MAX];
    int fd = open_new("fsync"), failed = fd < 0;
    refresh_buffer();
    double start = seconds(), last = start;
    for (uint64_t i = 0; i < count && !failed; i++) {
        failed = write(fd, buffer + i % 256 * 4096, 4096) != 4096 || fdatasync(fd);
        double now = seconds();
        ms[i] = (now - last) * 1e3;
        last = now;
    }
    if (fd >= 0)
        close(fd);
    qsort(ms, count, sizeof *ms, by_size);
    return failed ? 0
                  : (size_t)sprintf(reply,
                                    "{\"workload\":\"fsync\",\"count\":%" PRIu64
                                    ",\"seconds\":%.3f,\"per_s\":%.1f,\"ms\":{\"p50\":%.3f,"
                                    "\"p99\":%.3f,\"max\":%.3f}}\n",
                                    count, last - start, (double)count / (last - start),
                                    ms[count / 2], ms[count * 99 / 100], ms[count - 1]);
}

// ---- files ----

static char *file_name(uint64_t number) {
    static char name[64];
    sprintf(name, "files/%" PRIu64 "/%" PRIu64, number % FOLDERS, number);
    return name;
}

static int write_some(uint64_t number, int flags) {
    size_t size = FILE_MIN + next_noise() % (FILE_MAX - FILE_MIN + 1);
    int fd = openat(folder, file_name(number), O_WRONLY | O_CLOEXEC | flags, 0644);
    int failed = fd < 0 || write(fd, buffer + next_noise() % (MIB - FILE_MAX), size) < 0;
    if (fd >= 0)
        close(fd);
    return failed;
}

static int read_whole(uint64_t number) {
    int fd = openat(folder, file_name(number), O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    while (fd >= 0 && (n = read(fd, buffer, MIB)) > 0)
        ;
    if (fd >= 0)
        close(fd);
    return n < 0;
}

// The files that exist are `oldest` to `next` - 1: the oldest goes first, as in a mail spool.
static struct { uint64_t oldest, next; } spool;

static int transaction(void) {
    uint64_t any = spool.oldest + next_noise() % (spool.next - spool.oldest);
    int failed = next_noise() % 2 ? read_whole(any) : write_some(any, O_APPEND);
    if (next_noise() % 2 || spool.next - spool.oldest == 1)
        return failed || write_some(spool.next++, O_CREAT | O_TRUNC);
    return failed || unlinkat(folder, file_name(spool.oldest++), 0);
}

static int make_folders(void) {
    char name[64];
    int failed = mkdirat(folder, "files", 0755) && errno != EEXIST;
    for (int i = 0; i < FOLDERS && !failed; i++) {
        sprintf(name, "files/%d", i);
        failed = mkdirat(folder, name, 0755) && errno != EEXIST;
    }
    return failed;
}

static size_t files(uint64_t count, char *reply) {
    refresh_buffer();
    double start = seconds();
    int failed = make_folders();
    uint64_t first = spool.oldest = spool.next;
    while (!failed && spool.next < first + count)
        failed = write_some(spool.next++, O_CREAT | O_TRUNC);
    failed = failed || syncfs(folder);
    double made = seconds();
    for (uint64_t i = 0; i < count && !failed; i++)
        failed = transaction();
    failed = failed || syncfs(folder);
    double done = seconds();
    while (!failed && spool.oldest < spool.next)
        failed = unlinkat(folder, file_name(spool.oldest++), 0);
    failed = failed || syncfs(folder);
    return failed ? 0
                  : (size_t)sprintf(reply,
                                    "{\"workload\":\"files\",\"count\":%" PRIu64
                                    ",\"seconds\":%.3f,\"transactions_per_s\":%.1f}\n",
                                    count, seconds() - start, (double)count / (done - made));
}

static size_t cdrom(uint64_t unused, char *reply) {
    static const char text[] = "remus test cd-rom\n"; // over and over
    int fd = open("/dev/sr0", O_RDONLY | O_CLOEXEC), good = 1;
    size_t at = 0;
    ssize_t n = -1;
    (void)unused;
    while (fd >= 0 && (n = read(fd, buffer, MIB)) > 0)
        for (ssize_t i = 0; i < n; i++, at++)
            good &= buffer[i] == text[at % (sizeof text - 1)];
    if (fd >= 0)
        close(fd);
    return n < 0 ? 0
                 : (size_t)sprintf(reply, "{\"workload\":\"cdrom\",\"bytes\":%zu,\"good\":%s}\n",
                                   at, good && at ? "true" : "false");
}

static const struct {
    const char *name;
    uint64_t max;
    size_t (*run)(uint64_t count, char *reply);
} workloads[] = {
    {"seqwrite", 1024, seqwrite}, {"read", 1024, read_back}, {"fsync", COUNT_MAX, fsyncs},
    {"files", COUNT_MAX, files},  {"cdrom", 1, cdrom},
};

static size_t answer(const char *line, size_t length, char *reply) {
    char name[16];
    uint64_t count = 1;
    (void)length;
    int words = sscanf(line, "%15s %" SCNu64, name, &count);
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads && words > 0; i++) {
        if (strcmp(name, workloads[i].name) || !count || count > workloads[i].max)
            continue;
        size_t n = syncfs(folder) ? 0 : workloads[i].run(count, reply);
        return n ? n
                 : (size_t)sprintf(reply, "{\"workload\":\"%s\",\"error\":\"%s\"}\n", name,
                                   strerror(errno));
    }
    return (size_t)sprintf(reply, "{\"error\":\"expected: seqwrite MIB | read MIB | fsync COUNT | "
                                  "files COUNT | cdrom\"}\n");
}

int main(int argc, char **argv) {
    folder = argc == 2 ? open(argv[1], O_DIRECTORY | O_CLOEXEC) : -1;
    buffer = aligned_alloc(4096, MIB);
    if (folder < 0 || !buffer) {
        fprintf(stderr, "usage: disk-bench FOLDER\n");
        return 2;
    }
    struct line_server *server = lines_listen(7004, answer);
    for (;;)
        lines_serve(server, -1);
}
