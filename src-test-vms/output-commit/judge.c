#include "judge.h"

#include <stdlib.h>

static int by_content_and_time(const void *a, const void *b) {
    const struct packet *x = a, *y = b;
    if (x->content != y->content)
        return x->content < y->content ? -1 : 1;
    return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

// The first epoch that was resumed at or after `time_ns`; `count` when the log knows none.
static size_t epoch_of(const struct epoch *epochs, size_t count, int64_t time_ns) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (epochs[middle].resumed_ns < time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void judge_one(struct verdict *v, const struct epoch *epochs, int64_t made_ns,
                      int64_t seen_ns) {
    size_t n = epoch_of(epochs, v->epochs, made_ns);
    if (n == v->epochs) {
        v->undecided++;
        return;
    }
    // Made before the first logged epoch's stop: protection may not have begun, nothing was
    // promised.
    if (n == 0)
        return;
    v->compared++;
    if (seen_ns < epochs[n].acked_ns)
        v->early++;
    if (epochs[n].acked_ns != INT64_MAX && seen_ns - epochs[n].acked_ns < v->least_margin_ns)
        v->least_margin_ns = seen_ns - epochs[n].acked_ns;
}

static int64_t last_time(const struct packet *packets, size_t count) {
    int64_t last = INT64_MIN;
    for (size_t i = 0; i < count; i++)
        if (packets[i].time_ns > last)
            last = packets[i].time_ns;
    return last;
}

static int64_t first_time(const struct packet *packets, size_t count) {
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < count; i++)
        if (packets[i].time_ns < first)
            first = packets[i].time_ns;
    return first;
}

// What was made before the capture at the tap began is held no longer than its epoch, and has left
// before the ack of the next one.
static int64_t held_from_before(const struct epoch *epochs, size_t count, int64_t tap_begins_ns) {
    size_t next = epoch_of(epochs, count, tap_begins_ns) + 1;
    return next < count && epochs[next].acked_ns != INT64_MAX ? epochs[next].acked_ns
                                                              : tap_begins_ns;
}

struct verdict judge(const struct epoch *epochs, size_t epoch_count, struct packet *tap,
                     size_t tap_count, struct packet *client, size_t client_count,
                     int64_t until_ns) {
    struct verdict v = {.epochs = epoch_count, .least_margin_ns = INT64_MAX};
    int64_t tap_ends_ns = last_time(tap, tap_count);
    int64_t tap_knows_ns = held_from_before(epochs, epoch_count, first_time(tap, tap_count));
    qsort(tap, tap_count, sizeof *tap, by_content_and_time);
    qsort(client, client_count, sizeof *client, by_content_and_time);
    // The k-th sighting of equal packets at the client is explained by the k-th at the tap: if any
    // explanation has no early packet, this one has none.
    size_t t = 0;
    for (size_t c = 0; c < client_count; c++) {
        if (client[c].time_ns > until_ns)
            continue;
        while (t < tap_count && tap[t].content < client[c].content)
            t++;
        if (t < tap_count && tap[t].content == client[c].content)
            judge_one(&v, epochs, tap[t++].time_ns, client[c].time_ns);
        else if (client[c].time_ns > tap_knows_ns && client[c].time_ns <= tap_ends_ns)
            v.unmatched++;
        else // at the end whoever captured lost power with the tap, before it had written this one
            v.undecided++;
    }
    return v;
}
