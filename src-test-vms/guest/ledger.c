// ledger: a list of payloads that lives in RAM only, on TCP port 7000.
//
//   append <payload>   ->  <sequence number> <hash of all payloads so far, 16 hex digits>
//   last               ->  the same two values, nothing appended
//
// Whoever lost an answered append, or applied one twice, cannot give the right answer again (see
// history.h).
#include "history.h"
#include "lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static uint64_t sequence;
static uint64_t hash = HISTORY_EMPTY;

static size_t answer(const char *line, size_t length, char *reply) {
    static const char append[] = "append ";
    const size_t prefix = sizeof append - 1;
    if (length >= prefix && !memcmp(line, append, prefix)) {
        if (length - prefix > PAYLOAD_MAX)
            return (size_t)sprintf(reply, "error payload longer than %d bytes\n", PAYLOAD_MAX);
        hash = history_append(hash, line + prefix, length - prefix);
        sequence++;
    } else if (strcmp(line, "last")) {
        return (size_t)sprintf(reply, "error expected: append <payload> | last\n");
    }
    return (size_t)sprintf(reply, "%" PRIu64 " %016" PRIx64 "\n", sequence, hash);
}

int main(void) {
    struct line_server *server = lines_listen(7000, answer);
    for (;;)
        lines_serve(server, -1);
}
