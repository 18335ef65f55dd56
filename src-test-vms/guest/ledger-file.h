// The lines of a ledger that is kept in a file, shared by the server in the guest and the judge of
// disk images.
//
//   <sequence number> <hash of all payloads so far, 16 hex digits> <payload>\n
//
// A line proves itself and all lines before it (see history.h).
#pragma once

#include "history.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// Longest line in bytes, newline included.
#define LEDGER_LINE_MAX (PAYLOAD_MAX + 40)

struct ledger_end {
    uint64_t sequence, hash; // of the last line; before the first: 0, HISTORY_EMPTY
};

// Writes "<sequence> <hash> " for the payload that follows `end`, which it moves. Returns its
// length.
static inline size_t ledger_line_head(struct ledger_end *end, const char *payload, size_t length,
                                      char *head) {
    end->hash = history_append(end->hash, payload, length);
    end->sequence++;
    return (size_t)sprintf(head, "%" PRIu64 " %016" PRIx64 " ", end->sequence, end->hash);
}

// The length of the line at `text` when it is whole and goes on from `end`, which it then moves;
// otherwise 0.
static inline size_t ledger_line(const char *text, size_t length, struct ledger_end *end) {
    char head[LEDGER_LINE_MAX];
    size_t longest = length < LEDGER_LINE_MAX ? length : LEDGER_LINE_MAX;
    const char *newline = memchr(text, '\n', longest);
    size_t digits = (size_t)snprintf(NULL, 0, "%" PRIu64 " ", end->sequence + 1) + 17;
    if (!newline || (size_t)(newline - text) < digits)
        return 0;
    struct ledger_end next = *end;
    ledger_line_head(&next, text + digits, (size_t)(newline - text) - digits, head);
    if (memcmp(head, text, digits))
        return 0;
    *end = next;
    return (size_t)(newline - text) + 1;
}

// True when `text`, which follows the last good line, can be what an append left that a crash
// interrupted: nothing, or no more than the beginning of one line.
static inline int ledger_unfinished(const char *text, size_t length) {
    return length < LEDGER_LINE_MAX && (!length || !memchr(text, '\n', length - 1));
}
