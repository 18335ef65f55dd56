// disk-ledger FILE: the ledger (see ledger.c) kept in a file, on TCP port 7003. An answered append
// is on the disk.
//
//   append <payload>   ->  <sequence number> <hash of all payloads so far, 16 hex digits>
//   last               ->  the same two values as the FILE has them: read anew, past the page cache
//
// The lines of the file are described in ledger-file.h. What a crash left unfinished at its end is
// cut off at the start; a file that is damaged before its end is refused.
#define _GNU_SOURCE // O_DIRECT
#include "ledger-file.h"
#include "lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALIGNMENT 4096

static const char *path;
static int file;
static struct ledger_end end = {.hash = HISTORY_EMPTY};

// The file's content as the disk has it; its length goes to `length`. NULL: it cannot be read.
static char *content(size_t *length) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
    if (fd < 0 && errno == EINVAL) // a file system that has no O_DIRECT
        fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    char *text = NULL;
    if (fd >= 0 && !fstat(fd, &stat)) {
        size_t room = ((size_t)stat.st_size / ALIGNMENT + 1) * ALIGNMENT;
        ssize_t n = 1;
        text = aligned_alloc(ALIGNMENT, room);
        for (*length = 0; text && *length < room && n > 0; *length += n > 0 ? (size_t)n : 0)
            n = read(fd, text + *length, room - *length);
        if (n < 0) {
            free(text);
            text = NULL;
        }
    }
    if (fd >= 0)
        close(fd);
    return text;
}

// Follows the chain of lines; returns where it ends.
static size_t follow(const char *text, size_t length, struct ledger_end *last) {
    size_t at = 0, line;
    while ((line = ledger_line(text + at, length - at, last)))
        at += line;
    return at;
}

static size_t refusal(char *reply) {
    return (size_t)sprintf(reply, "error %s: %s\n", path, strerror(errno));
}

static size_t answer_last(char *reply) {
    struct ledger_end last = {.hash = HISTORY_EMPTY};
    size_t length;
    char *text = content(&length);
    if (!text)
        return refusal(reply);
    follow(text, length, &last);
    free(text);
    return (size_t)sprintf(reply, "%" PRIu64 " %016" PRIx64 "\n", last.sequence, last.hash);
}

static size_t append(const char *payload, size_t length, char *reply) {
    static int broken; // the first error: what the file holds after it is not known
    char line[LEDGER_LINE_MAX];
    size_t head = ledger_line_head(&end, payload, length, line);
    memcpy(line + head, payload, length);
    line[head + length] = '\n';
    errno = broken;
    if (broken || write(file, line, head + length + 1) != (ssize_t)(head + length + 1) ||
        fdatasync(file)) {
        broken = errno ? errno : ENOSPC;
        errno = broken;
        return refusal(reply);
    }
    return (size_t)sprintf(reply, "%" PRIu64 " %016" PRIx64 "\n", end.sequence, end.hash);
}

static size_t answer(const char *line, size_t length, char *reply) {
    static const char word[] = "append ";
    const size_t prefix = sizeof word - 1;
    if (!strcmp(line, "last"))
        return answer_last(reply);
    if (length < prefix || memcmp(line, word, prefix))
        return (size_t)sprintf(reply, "error expected: append <payload> | last\n");
    if (length - prefix > PAYLOAD_MAX)
        return (size_t)sprintf(reply, "error payload longer than %d bytes\n", PAYLOAD_MAX);
    return append(line + prefix, length - prefix, reply);
}

static int fail(const char *what) {
    fprintf(stderr, "disk-ledger: %s: %s\n", path, what);
    return 1;
}

int main(int argc, char **argv) {
    size_t length;
    if (argc != 2) {
        fprintf(stderr, "usage: disk-ledger FILE\n");
        return 2;
    }
    path = argv[1];
    file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    char *text = file < 0 ? NULL : content(&length);
    if (!text)
        return fail(strerror(errno));
    size_t good = follow(text, length, &end);
    if (!ledger_unfinished(text + good, length - good))
        return fail("damaged before its end");
    free(text);
    if (ftruncate(file, (off_t)good) || fsync(file))
        return fail(strerror(errno));
    sync(); // the file's name
    struct line_server *server = lines_listen(7003, answer);
    lines_one_by_one(server);
    for (;;)
        lines_serve(server, -1);
}
