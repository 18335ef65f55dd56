// work-bench FOLDER: measured work in RAM, on TCP port 7008. One request at a time; each is
// answered with one line of JSON when it is done.
//
//   compile COUNT    the C compiler turns FOLDER/source.i into assembler COUNT times, each time a
//                    process of its own that writes a file in RAM: as a build does
//   fields COUNT     COUNT changes of 8 bytes at random places in 64 MiB of records
//   fill MIB         from now on MIB of memory hold one different word in each page, till the end
//   zeros MIB        the same with a zero, which takes memory here and none of a standby's
#define _GNU_SOURCE // execl's path of the compiler
#include "lines.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define RECORDS_BYTES (64u << 20)
#define COUNT_MAX 1000000000

static const char *folder;
static uint64_t noise = 88172645463325252u;

static uint64_t next_noise(void) {
    noise ^= noise << 13;
    noise ^= noise >> 7;
    return noise ^= noise << 17;
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char *memory(size_t bytes) {
    char *found = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return found == MAP_FAILED ? NULL : found;
}

static int compile_once(void) {
    pid_t child = fork();
    if (child == 0) {
        if (!chdir(folder))
            execl("/bin/cc1", "cc1", "-quiet", "-fpreprocessed", "-O2", "source.i", "-o",
                  "source.s", (char *)NULL);
        _exit(127);
    }
    int status = -1;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0 ? 0 : -1;
}

static int compile(uint64_t count) {
    int failed = 0;
    for (uint64_t i = 0; i < count && !failed; i++)
        failed = compile_once();
    return failed;
}

static int fields(uint64_t count) {
    static char *records;
    if (!records && !(records = memory(RECORDS_BYTES)))
        return -1;
    for (uint64_t i = 0; i < count; i++)
        *(uint64_t *)(void *)(records + next_noise() % (RECORDS_BYTES / 8) * 8) = next_noise();
    return 0;
}

static int take(uint64_t mib, uint64_t factor) {
    char *taken = memory((size_t)mib << 20);
    if (!taken)
        return -1;
    for (uint64_t at = 0; at < mib << 20; at += PAGE)
        *(volatile uint64_t *)(void *)(taken + at) = (at + 1) * factor;
    return 0;
}

static int fill(uint64_t mib) {
    return take(mib, 1);
}

static int zeros(uint64_t mib) {
    return take(mib, 0);
}

static const struct work {
    const char *name;
    int (*run)(uint64_t count);
} works[] = {{"compile", compile}, {"fields", fields}, {"fill", fill}, {"zeros", zeros}};

static size_t answer(const char *line, size_t length, char *reply) {
    (void)length;
    char name[16];
    uint64_t count;
    if (sscanf(line, "%15s %" SCNu64, name, &count) == 2 && count >= 1 && count <= COUNT_MAX)
        for (size_t i = 0; i < sizeof works / sizeof *works; i++)
            if (!strcmp(name, works[i].name)) {
                double start = seconds();
                int failed = works[i].run(count);
                return (size_t)sprintf(
                    reply, "{\"work\":\"%s\",\"count\":%" PRIu64 ",\"done\":%s,\"seconds\":%.3f}\n",
                    name, count, failed ? "false" : "true", seconds() - start);
            }
    return (size_t)sprintf(reply,
                           "error expected: compile COUNT | fields COUNT | fill MIB | zeros MIB\n");
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: work-bench FOLDER\n");
        return 2;
    }
    folder = argv[1];
    struct line_server *server = lines_listen(7008, answer);
    lines_one_by_one(server);
    for (;;)
        lines_serve(server, -1);
}
