// What ledger-crowd wrote down, in memory: see there for the lines.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define NEVER INT64_MAX

struct life {
    char name[17];
    size_t *entries; // of each sequence number the request + 1, 0 where it is not known; [0] unused
    size_t entry_room;   // how many of them there are
    uint64_t highest;    // the highest sequence number anybody has heard of
    int64_t answered_ns; // first answer, NEVER without one
};

struct request {
    int client, append;
    uint64_t number;
    size_t life;                   // index
    int64_t asked_ns, answered_ns; // the latter NEVER without an answer
    uint64_t sequence, hash;       // as answered
    uint64_t found;                // where a dump has it, 0 nowhere
};

// A reading of the whole ledger.
struct dump_end {
    size_t life;
    int64_t asked_ns;
    uint64_t sequence, hash;
};

struct history {
    struct request *requests;
    size_t request_count;
    struct life *lives; // in the order in which clients met them
    size_t life_count;
    struct dump_end *ends;
    size_t end_count;
    char run[64];               // the first part of every payload
    int64_t realtime_offset_ns; // CLOCK_REALTIME - CLOCK_MONOTONIC
    uint64_t connections;
    uint64_t clients;
    // What is wrong with the dumps alone.
    uint64_t invented, doubled, changed, missing;
};

// Reads a history and any number of dumps, concatenated; a line cut off at the end of the history
// is left out, for it is being written. Returns 0, or -1 with a message on stderr. Says on stderr
// what is wrong with the dumps.
int history_read(const char *history_path, const char *dump_path, struct history *out);

void history_free(struct history *history);
