#include "linear.h"

#include "../guest/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void *reserved(size_t count, size_t element) {
    void *array = calloc(count ? count : 1, element);
    if (!array) {
        perror("history-check: memory");
        exit(2);
    }
    return array;
}

static void tell(const struct request *r, const char *what, uint64_t value) {
    fprintf(
        stderr, "%s: %s %d %" PRIu64 ", asked at %" PRId64 ", answered %" PRIu64 " (%" PRIu64 ")\n",
        what, r->append ? "append" : "last", r->client, r->number, r->asked_ns, r->sequence, value);
}

// ---- which request is which entry ----

// The ledger, read whole after the answer, does not go so far.
static int beyond_a_dump(const struct history *h, const struct request *r) {
    for (size_t i = 0; i < h->end_count; i++)
        if (h->ends[i].life == r->life && h->ends[i].asked_ns > r->answered_ns &&
            h->ends[i].sequence < r->sequence)
            return 1;
    return 0;
}

// An answer says where its append is. What a dump says counts more; of two answers the first.
static void place(struct history *h, struct findings *f) {
    for (size_t i = 0; i < h->request_count; i++) {
        struct request *r = &h->requests[i];
        struct life *life = &h->lives[r->life];
        if (!r->append || r->answered_ns == NEVER)
            continue;
        size_t *entry = r->sequence < life->entry_room ? &life->entries[r->sequence] : NULL;
        if (!r->sequence || !entry || (*entry && *entry != i + 1) ||
            (r->found && r->found != r->sequence) || beyond_a_dump(h, r)) {
            f->lost++;
            tell(r, "lost", r->found);
        } else {
            *entry = i + 1;
        }
    }
}

static void make_room(struct history *h) {
    for (size_t i = 0; i < h->life_count; i++) {
        struct life *life = &h->lives[i];
        size_t *entries = reserved(life->highest + 1, sizeof *entries);
        for (size_t s = 0; s < life->entry_room && s <= life->highest; s++)
            entries[s] = life->entries[s];
        free(life->entries);
        life->entries = entries;
        life->entry_room = life->highest + 1;
    }
}

// ---- hashes ----

struct chain {
    uint64_t *hash;
    char *known;
};

static uint64_t payload_hash(uint64_t hash, const char *run, const struct request *r) {
    char payload[PAYLOAD_MAX];
    int length = snprintf(payload, sizeof payload, "%s-%d-%" PRIu64, run, r->client, r->number);
    return history_append(hash, payload, (size_t)length);
}

// Hashes of all entries as far as they follow from payloads; where an entry is unknown (nobody read
// it before its life ended) the first answer that tells the hash there is believed, and judges the
// others.
static struct chain chain_of(const struct history *h, size_t life_index) {
    const struct life *life = &h->lives[life_index];
    struct chain c = {reserved(life->highest + 1, sizeof *c.hash), reserved(life->highest + 1, 1)};
    uint64_t *told = reserved(life->highest + 1, sizeof *told);
    char *is_told = reserved(life->highest + 1, 1);
    for (size_t i = 0; i < h->request_count; i++) {
        const struct request *r = &h->requests[i];
        if (r->life == life_index && r->answered_ns != NEVER && !is_told[r->sequence]) {
            told[r->sequence] = r->hash;
            is_told[r->sequence] = 1;
        }
    }
    c.hash[0] = HISTORY_EMPTY;
    c.known[0] = 1;
    for (uint64_t s = 1; s <= life->highest; s++) {
        size_t entry = life->entries[s];
        if (entry && c.known[s - 1]) {
            c.hash[s] = payload_hash(c.hash[s - 1], h->run, &h->requests[entry - 1]);
            c.known[s] = 1;
        } else if (is_told[s]) {
            c.hash[s] = told[s];
            c.known[s] = 1;
        }
    }
    free(told);
    free(is_told);
    return c;
}

static void judge_hashes(const struct history *h, size_t life_index, struct findings *f) {
    struct chain c = chain_of(h, life_index);
    for (size_t i = 0; i < h->request_count; i++) {
        const struct request *r = &h->requests[i];
        if (r->life == life_index && r->answered_ns != NEVER && c.known[r->sequence] &&
            c.hash[r->sequence] != r->hash) {
            f->mismatched++;
            tell(r, "mismatched", r->sequence);
        }
    }
    for (size_t i = 0; i < h->end_count; i++) {
        const struct dump_end *end = &h->ends[i];
        if (end->life == life_index && c.known[end->sequence] &&
            c.hash[end->sequence] != end->hash) {
            f->mismatched++;
            fprintf(stderr, "mismatched: the dump that ends with entry %" PRIu64 "\n",
                    end->sequence);
        }
    }
    free(c.hash);
    free(c.known);
}

// ---- order ----

// A request as far as order goes: an append, answered or found in the ledger, or a read.
struct point {
    const struct request *request; // NULL for a dump's end
    int64_t asked_ns, answered_ns;
    uint64_t sequence;
    int append;
};

static int by_asking(const void *a, const void *b) {
    const struct point *x = a, *y = b;
    return (x->asked_ns > y->asked_ns) - (x->asked_ns < y->asked_ns);
}

static int by_answer(const void *a, const void *b) {
    const struct point *x = a, *y = b;
    return (x->answered_ns > y->answered_ns) - (x->answered_ns < y->answered_ns);
}

static size_t points_of(const struct history *h, size_t life, struct point *points) {
    size_t count = 0;
    for (size_t i = 0; i < h->request_count; i++) {
        const struct request *r = &h->requests[i];
        uint64_t sequence = r->answered_ns != NEVER ? r->sequence : r->found;
        if (r->life == life && sequence + (r->answered_ns != NEVER))
            points[count++] = (struct point){r, r->asked_ns, r->answered_ns, sequence, r->append};
    }
    for (size_t i = 0; i < h->end_count; i++)
        if (h->ends[i].life == life)
            points[count++] =
                (struct point){NULL, h->ends[i].asked_ns, NEVER, h->ends[i].sequence, 0};
    return count;
}

static void judge_order(const struct history *h, size_t life, struct findings *f) {
    struct point *asking = reserved(h->request_count + h->end_count, sizeof *asking);
    struct point *answers = reserved(h->request_count + h->end_count, sizeof *answers);
    size_t count = points_of(h, life, asking), answered = 0;
    points_of(h, life, answers);
    qsort(asking, count, sizeof *asking, by_asking);
    qsort(answers, count, sizeof *answers, by_answer);
    uint64_t seen = 0; // as many entries somebody had heard of before this one was asked
    for (size_t i = 0; i < count; i++) {
        const struct point *p = &asking[i];
        for (; answered < count && answers[answered].answered_ns < p->asked_ns; answered++)
            if (answers[answered].sequence > seen)
                seen = answers[answered].sequence;
        if (p->sequence >= seen + (uint64_t)p->append)
            continue;
        if (p->append)
            f->misordered++;
        else
            f->stale++;
        if (p->request)
            tell(p->request, p->append ? "misordered" : "stale", seen);
        else
            fprintf(stderr, "stale: the dump that ends with entry %" PRIu64 ", after %" PRIu64 "\n",
                    p->sequence, seen);
    }
    free(asking);
    free(answers);
}

// A life that answers a question asked after a later life had answered was not over.
static void judge_lives(const struct history *h, struct findings *f) {
    for (size_t i = 0; i < h->request_count; i++) {
        const struct request *r = &h->requests[i];
        if (r->answered_ns == NEVER)
            continue;
        for (size_t later = r->life + 1; later < h->life_count; later++)
            if (h->lives[later].answered_ns < r->asked_ns) {
                f->revived++;
                tell(r, "revived", later);
                break;
            }
    }
}

struct findings linear_judge(struct history *h) {
    struct findings f = {0};
    make_room(h);
    place(h, &f);
    for (size_t i = 0; i < h->life_count; i++) {
        judge_hashes(h, i, &f);
        judge_order(h, i, &f);
    }
    judge_lives(h, &f);
    for (size_t i = 0; i < h->request_count; i++) {
        const struct request *r = &h->requests[i];
        if (r->answered_ns == NEVER) {
            f.unanswered++;
            f.unanswered_done += r->found > 0;
        } else if (r->append) {
            f.appends++;
        } else {
            f.reads++;
        }
    }
    return f;
}

static int by_time(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int64_t longest_gap_ns(const struct history *h, int64_t from_ns, int64_t to_ns) {
    int64_t *times = reserved(h->request_count + 1, sizeof *times), longest = 0, last = from_ns;
    size_t count = 0;
    for (size_t i = 0; i < h->request_count; i++)
        if (h->requests[i].answered_ns != NEVER)
            times[count++] = h->requests[i].answered_ns;
    qsort(times, count, sizeof *times, by_time);
    for (size_t i = 0; i < count && times[i] < to_ns; i++) {
        if (times[i] < from_ns)
            continue;
        if (times[i] - last > longest)
            longest = times[i] - last;
        last = times[i];
    }
    if (to_ns != NEVER && to_ns - last > longest)
        longest = to_ns - last;
    free(times);
    return longest;
}
