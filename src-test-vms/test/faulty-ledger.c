// faulty-ledger FAULT: a ledger that does wrong after 50 appends, to see whether the client
// notices.
//   forget  the last 3 entries are gone     double  an append is applied twice     mangle  an entry
//   has another content
#include "../guest/history.h"
#include "../guest/lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *fault;
static uint64_t hashes[1 << 16] = {HISTORY_EMPTY}; // after each entry
static uint64_t sequence;
static int done; // the fault happens once

static void append(const char *payload, size_t length) {
    hashes[sequence + 1] = history_append(hashes[sequence], payload, length);
    sequence++;
}

static size_t answer(const char *line, size_t length, char *reply) {
    if (length >= 7 && sequence + 2 < sizeof hashes / sizeof *hashes) {
        int now = sequence == 50 && !done;
        done |= now;
        if (now && !strcmp(fault, "forget"))
            sequence -= 3;
        if (now && !strcmp(fault, "double"))
            append(line + 7, length - 7);
        append(line + 7, now && !strcmp(fault, "mangle") ? length - 8 : length - 7);
    }
    return (size_t)sprintf(reply, "%" PRIu64 " %016" PRIx64 "\n", sequence, hashes[sequence]);
}

int main(int argc, char **argv) {
    fault = argc == 2 ? argv[1] : "none";
    struct line_server *server = lines_listen(7000, answer);
    for (;;)
        lines_serve(server, -1);
}
