// disk-check: what files taken out of a disk image say; see usage(). Part of disk-judge.
//
//   lines               whole lines that continue each other, from the first on
//   unfinished_bytes    after them, what an append that a crash interrupted may have left
//   torn                bytes after them that no interrupted append explains
//   acked               appends that the client has an answer for
//   missing_acked       those of them that are not in the ledger as they were answered
//
// Exit status: 0 when nothing is torn, missing or bad; 1 when something is; 2 usage.
#include "../guest/blocks.h"
#include "../guest/ledger-file.h"

#include <errno.h>
#include <stdlib.h>

static int usage(void) {
    fprintf(stderr, "usage: disk-check ledger FILE [LOG-OF-LEDGER-CLIENT]\n"
                    "       disk-check blocks FOLDER\n");
    return 2;
}

static char *whole_file(const char *path, size_t *length) {
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t room = 0;
    *length = 0;
    for (size_t n = 1; file && n > 0; *length += n) {
        room = 2 * room + 65536;
        char *larger = realloc(text, room);
        if (!larger)
            break;
        text = larger;
        n = fread(text + *length, 1, room - *length, file);
    }
    if (!file || ferror(file) || !feof(file)) {
        fprintf(stderr, "disk-check: %s: %s\n", path, strerror(errno));
        exit(2);
    }
    fclose(file);
    return text;
}

struct ledger {
    uint64_t *hashes; // of line n at n - 1
    uint64_t lines;
    size_t good_bytes, bytes;
    int unfinished; // what follows the good lines may be an interrupted append
};

static struct ledger read_ledger(const char *path) {
    struct ledger ledger = {0};
    struct ledger_end end = {.hash = HISTORY_EMPTY};
    char *text = whole_file(path, &ledger.bytes);
    size_t line;
    // No line is shorter than a number, a hash, two spaces and its newline.
    ledger.hashes = calloc(ledger.bytes / 20 + 1, sizeof *ledger.hashes);
    while (ledger.hashes &&
           (line = ledger_line(text + ledger.good_bytes, ledger.bytes - ledger.good_bytes, &end))) {
        ledger.good_bytes += line;
        ledger.hashes[ledger.lines++] = end.hash;
    }
    ledger.unfinished =
        ledger_unfinished(text + ledger.good_bytes, ledger.bytes - ledger.good_bytes);
    free(text);
    return ledger;
}

static int ledger(const char *path, const char *log) {
    struct ledger ledger = read_ledger(path);
    uint64_t acked = 0, missing = 0, sequence, hash;
    FILE *answers = log ? fopen(log, "re") : NULL;
    if (log && !answers) {
        fprintf(stderr, "disk-check: %s: %s\n", log, strerror(errno));
        return 2;
    }
    while (answers &&
           fscanf(answers, "%*[^,],%*[^,],%" SCNu64 ",%" SCNx64 " ", &sequence, &hash) == 2) {
        acked++;
        missing += !sequence || sequence > ledger.lines || ledger.hashes[sequence - 1] != hash;
    }
    // A log that could not be read to its end proves nothing.
    int unread = answers && !feof(answers);
    if (unread)
        fprintf(stderr, "disk-check: %s: line %" PRIu64 " is none of ledger-client's\n", log,
                acked + 1);
    if (answers)
        fclose(answers);
    size_t rest = ledger.bytes - ledger.good_bytes;
    printf("{\"lines\":%" PRIu64 ",\"unfinished_bytes\":%zu,\"torn\":%zu,\"acked\":%" PRIu64
           ",\"missing_acked\":%" PRIu64 "}\n",
           ledger.lines, ledger.unfinished ? rest : 0, ledger.unfinished ? 0 : rest, acked,
           missing);
    free(ledger.hashes);
    return !ledger.unfinished || missing || unread;
}

static int blocks(const char *folder) {
    struct blocks_found found = {0};
    if (blocks_check(folder, &found))
        return 2;
    printf("{\"files\":%" PRIu64 ",\"blocks\":%" PRIu64 ",\"empty\":%" PRIu64 ",\"bad\":%" PRIu64
           "}\n",
           found.files, found.blocks, found.empty, found.bad);
    return found.bad > 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "blocks"))
        return blocks(argv[2]);
    if ((argc == 3 || argc == 4) && !strcmp(argv[1], "ledger"))
        return ledger(argv[2], argv[3]);
    return usage();
}
