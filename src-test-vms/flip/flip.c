// flip: changes one byte of a process's memory or of a file, as a fault would: nobody is told.
//
//   flip process PID BYTES OFFSET   the process's one writable mapping of just so many bytes: a
//                                   guest's RAM is one
//   flip file FILE OFFSET
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fail(const char *what) {
    fprintf(stderr, "flip: %s\n", what);
    exit(2);
}

static uint64_t number(const char *text) {
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 0);
    if (errno != 0 || *text == 0 || *end != 0)
        fail("that is no number");
    return value;
}

// Where the mapping begins.
static uint64_t find(const char *pid, uint64_t bytes) {
    char path[64], line[4352];
    snprintf(path, sizeof path, "/proc/%s/maps", pid);
    FILE *maps = fopen(path, "r");
    if (maps == NULL)
        fail("there is no such process");
    uint64_t from, to, found = 0;
    char mode[5];
    while (fgets(line, sizeof line, maps) != NULL)
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &from, &to, mode) == 3 &&
            to - from == bytes && mode[1] == 'w') {
            if (found != 0)
                fail("it has two such mappings");
            found = from;
        }
    fclose(maps);
    if (found == 0)
        fail("it has no such mapping");
    return found;
}

static void flip(const char *path, uint64_t at) {
    int fd = open(path, O_RDWR);
    uint8_t byte;
    if (fd < 0 || pread(fd, &byte, 1, (off_t)at) != 1)
        fail("it cannot be read");
    byte ^= 1;
    if (pwrite(fd, &byte, 1, (off_t)at) != 1)
        fail("it cannot be written");
    close(fd);
}

int main(int count, char **arguments) {
    if (count == 5 && strcmp(arguments[1], "process") == 0) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%s/mem", arguments[2]);
        flip(path, find(arguments[2], number(arguments[3])) + number(arguments[4]));
    } else if (count == 4 && strcmp(arguments[1], "file") == 0) {
        flip(arguments[2], number(arguments[3]));
    } else {
        fail("usage: flip process PID BYTES OFFSET | flip file FILE OFFSET");
    }
    return 0;
}
