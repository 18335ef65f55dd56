// ledger: a list of payloads that lives in RAM only, on TCP port 7000.
//
//   append <payload>   ->  <sequence number> <hash of all payloads so far, 16 hex digits>
//   last               ->  the same two values, nothing appended
//   entry <number>     ->  entry <payload of that number>; the first is 1
//   life               ->  16 hex digits, drawn when the ledger started: another life, another list
//
// Whoever lost an answered append, or applied one twice, cannot give the right answer again (see
// history.h).
#include "history.h"
#include "lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BLOCK_BYTES (1 << 20)

static uint64_t life, sequence;
static uint64_t hash = HISTORY_EMPTY;

static char **payloads; // each ends with NUL
static size_t payload_room;
static char *block; // where the next payload goes
static size_t block_left;

// Returns -1 when the guest has no memory left.
static int keep(const char *payload, size_t length) {
    if (sequence == payload_room) {
        size_t room = payload_room ? 2 * payload_room : 4096;
        char **more = realloc(payloads, room * sizeof *more);
        if (!more)
            return -1;
        payloads = more;
        payload_room = room;
    }
    if (block_left < length + 1) {
        char *fresh = malloc(BLOCK_BYTES);
        if (!fresh)
            return -1;
        block = fresh;
        block_left = BLOCK_BYTES;
    }
    memcpy(block, payload, length);
    block[length] = 0;
    payloads[sequence] = block;
    block += length + 1;
    block_left -= length + 1;
    return 0;
}

static size_t entry(const char *number, char *reply) {
    uint64_t n = strtoull(number, NULL, 10);
    if (!n || n > sequence)
        return (size_t)sprintf(reply, "error no such entry\n");
    return (size_t)sprintf(reply, "entry %s\n", payloads[n - 1]);
}

static size_t answer(const char *line, size_t length, char *reply) {
    static const char append[] = "append ";
    const size_t prefix = sizeof append - 1;
    if (length >= prefix && !memcmp(line, append, prefix)) {
        if (length - prefix > PAYLOAD_MAX)
            return (size_t)sprintf(reply, "error payload longer than %d bytes\n", PAYLOAD_MAX);
        if (keep(line + prefix, length - prefix))
            return (size_t)sprintf(reply, "error no memory\n");
        hash = history_append(hash, line + prefix, length - prefix);
        sequence++;
    } else if (!strncmp(line, "entry ", 6)) {
        return entry(line + 6, reply);
    } else if (!strcmp(line, "life")) {
        return (size_t)sprintf(reply, "%016" PRIx64 "\n", life);
    } else if (strcmp(line, "last")) {
        return (size_t)sprintf(reply, "error expected: append <payload> | last | entry <number> | "
                                      "life\n");
    }
    return (size_t)sprintf(reply, "%" PRIu64 " %016" PRIx64 "\n", sequence, hash);
}

int main(void) {
    // Early in a guest's boot there may be no entropy yet; it must not wait for that.
    if (getrandom(&life, sizeof life, GRND_INSECURE) != sizeof life) {
        perror("life");
        return 1;
    }
    struct line_server *server = lines_listen(7000, answer);
    for (;;)
        lines_serve(server, -1);
}
