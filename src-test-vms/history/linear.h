// Is a history linearizable (Herlihy and Wing, TOPLAS 1990)? Could the ledger have done each
// request at one moment between question and answer, one after another?
//
// The ledger's entries are the order of all appends, and a "last" that heard of n entries belongs
// right behind the n-th. So there is one order to look at, not many, and it must be the clients',
// too: a request that was answered before another one was asked comes first.
#pragma once

#include "history.h"

struct findings {
    uint64_t appends, reads;  // answered
    uint64_t unanswered;      // and may have been done or not
    uint64_t unanswered_done; // of these
    uint64_t lost;            // answered appends that are not, or not there, in the ledger
    uint64_t mismatched;      // answers with another hash than the entries up to there have
    uint64_t misordered;      // appends that came before one that was answered before
    uint64_t stale;           // answers to "last", or dumps, without what was answered before
    uint64_t revived;         // answers of a life after a later one had answered
};

// Tells on stderr of each finding.
struct findings linear_judge(struct history *history);

// The longest time without any answer that touches the time from `from_ns` to `to_ns`.
int64_t longest_gap_ns(const struct history *history, int64_t from_ns, int64_t to_ns);
