#define _GNU_SOURCE // getline
#include "history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS_MAX 64
#define RUN_MAX 64

// The requests of one client, by number: indices into history.requests.
struct numbers {
    size_t *request;
    size_t count;
    size_t life;
    int met; // a ledger
};

struct reading {
    struct history *out;
    struct numbers clients[CLIENTS_MAX];
};

static void *grown(void *array, size_t count, size_t element) {
    if (count & (count - 1)) // full at every power of two
        return array;
    void *more = realloc(array, (count ? 2 * count : 1) * element);
    if (!more) {
        perror("history-check: memory");
        exit(2);
    }
    return more;
}

static size_t life_named(struct history *out, const char *name) {
    for (size_t i = 0; i < out->life_count; i++)
        if (!strcmp(out->lives[i].name, name))
            return i;
    out->lives = grown(out->lives, out->life_count, sizeof *out->lives);
    struct life *life = &out->lives[out->life_count];
    *life = (struct life){.answered_ns = NEVER};
    snprintf(life->name, sizeof life->name, "%s", name);
    return out->life_count++;
}

static struct request *request_of(struct reading *r, int client, uint64_t number) {
    if (client < 0 || client >= CLIENTS_MAX || number >= r->clients[client].count)
        return NULL;
    return &r->out->requests[r->clients[client].request[number]];
}

static int asked(struct reading *r, int append, int client, uint64_t number, int64_t ns) {
    struct history *out = r->out;
    if (client < 0 || client >= CLIENTS_MAX || !r->clients[client].met ||
        number != r->clients[client].count)
        return -1;
    struct numbers *numbers = &r->clients[client];
    out->requests = grown(out->requests, out->request_count, sizeof *out->requests);
    out->requests[out->request_count] = (struct request){.client = client,
                                                         .append = append,
                                                         .number = number,
                                                         .life = numbers->life,
                                                         .asked_ns = ns,
                                                         .answered_ns = NEVER};
    numbers->request = grown(numbers->request, numbers->count, sizeof *numbers->request);
    numbers->request[numbers->count++] = out->request_count++;
    return 0;
}

static void heard_of(struct life *life, uint64_t sequence) {
    if (sequence > life->highest)
        life->highest = sequence;
}

static int answered(struct reading *r, int client, uint64_t number, int64_t ns, uint64_t sequence,
                    uint64_t hash) {
    struct request *request = request_of(r, client, number);
    if (!request || request->answered_ns != NEVER)
        return -1;
    request->answered_ns = ns;
    request->sequence = sequence;
    request->hash = hash;
    struct life *life = &r->out->lives[request->life];
    heard_of(life, sequence);
    if (ns < life->answered_ns)
        life->answered_ns = ns;
    return 0;
}

static int met(struct reading *r, int client, const char *name) {
    if (client < 0 || client >= CLIENTS_MAX)
        return -1;
    struct numbers *numbers = &r->clients[client];
    r->out->clients += !numbers->met;
    r->out->connections++;
    numbers->life = life_named(r->out, name);
    numbers->met = 1;
    return 0;
}

static int history_line(struct reading *r, const char *line) {
    int client;
    uint64_t number, sequence, hash;
    int64_t ns, real_ns;
    char word[17];
    if (sscanf(line, "clock %" SCNd64 " %" SCNd64, &ns, &real_ns) == 2)
        r->out->realtime_offset_ns = real_ns - ns;
    else if (sscanf(line, "life %d %" SCNd64 " %16s", &client, &ns, word) == 3)
        return met(r, client, word);
    else if (sscanf(line, "append %d %" SCNu64 " %" SCNd64, &client, &number, &ns) == 3)
        return asked(r, 1, client, number, ns);
    else if (sscanf(line, "last %d %" SCNu64 " %" SCNd64, &client, &number, &ns) == 3)
        return asked(r, 0, client, number, ns);
    else if (sscanf(line, "answer %d %" SCNu64 " %" SCNd64 " %" SCNu64 " %" SCNx64, &client,
                    &number, &ns, &sequence, &hash) == 5)
        return answered(r, client, number, ns, sequence, hash);
    else if (sscanf(line, "run %63s", r->out->run) != 1 && strncmp(line, "broke ", 6))
        return -1;
    return 0;
}

// ---- dumps ----

static size_t *entry_of(struct life *life, uint64_t sequence) {
    if (sequence >= life->entry_room) {
        size_t room = life->entry_room ? life->entry_room : 1024;
        while (room <= sequence)
            room *= 2;
        size_t *more = realloc(life->entries, room * sizeof *more);
        if (!more) {
            perror("history-check: memory");
            exit(2);
        }
        memset(more + life->entry_room, 0, (room - life->entry_room) * sizeof *more);
        life->entries = more;
        life->entry_room = room;
    }
    return &life->entries[sequence];
}

static void entry(struct reading *r, size_t life, uint64_t sequence, const char *payload) {
    struct history *out = r->out;
    char expected[RUN_MAX + 64], run[RUN_MAX];
    int client;
    uint64_t number;
    struct request *request = NULL;
    if (sscanf(payload, "%63[^-]-%d-%" SCNu64, run, &client, &number) == 3)
        request = request_of(r, client, number);
    if (request) {
        snprintf(expected, sizeof expected, "%s-%d-%" PRIu64, out->run, client, number);
        if (strcmp(payload, expected) || !request->append || request->life != life)
            request = NULL;
    }
    if (!request) {
        out->invented++;
        fprintf(stderr, "invented: entry %" PRIu64 " is %s, which nobody asked for\n", sequence,
                payload);
        return;
    }
    size_t index = (size_t)(request - out->requests) + 1;
    size_t *known = entry_of(&out->lives[life], sequence);
    if (*known && *known != index) {
        out->changed++;
        fprintf(stderr, "changed: entry %" PRIu64 " was read as another before it was %s\n",
                sequence, payload);
    }
    if (request->found && request->found != sequence) {
        out->doubled++;
        fprintf(stderr, "doubled: %s is entry %" PRIu64 " and %" PRIu64 "\n", payload,
                request->found, sequence);
    }
    *known = index;
    request->found = sequence;
    heard_of(&out->lives[life], sequence);
}

static int dump_line(struct reading *r, const char *line, size_t *life) {
    struct history *out = r->out;
    uint64_t sequence, hash;
    int64_t ns;
    char name[17];
    int payload;
    if (sscanf(line, "dump %16s", name) == 1) {
        *life = life_named(out, name);
    } else if (*life == SIZE_MAX) {
        return -1;
    } else if (sscanf(line, "entry %" SCNu64 " %n", &sequence, &payload) == 1) {
        entry(r, *life, sequence, line + payload);
    } else if (sscanf(line, "end %" SCNd64 " %" SCNu64 " %" SCNx64, &ns, &sequence, &hash) == 3) {
        for (uint64_t i = 1; i <= sequence; i++)
            if (!*entry_of(&out->lives[*life], i)) {
                out->missing++;
                fprintf(stderr, "missing: no dump has entry %" PRIu64 "\n", i);
            }
        heard_of(&out->lives[*life], sequence);
        out->ends = grown(out->ends, out->end_count, sizeof *out->ends);
        out->ends[out->end_count++] = (struct dump_end){*life, ns, sequence, hash};
    } else {
        return -1;
    }
    return 0;
}

static int each_line(const char *path, struct reading *r, int dumps) {
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0, life = SIZE_MAX;
    uint64_t count = 0;
    int result = 0;
    if (!file) {
        perror(path);
        return -1;
    }
    ssize_t length;
    while (!result && (length = getline(&line, &room, file)) > 0) {
        count++;
        if (line[length - 1] != '\n')
            break;
        line[length - 1] = 0;
        result = dumps ? dump_line(r, line, &life) : history_line(r, line);
    }
    if (result)
        fprintf(stderr, "history-check: %s, line %" PRIu64 " makes no sense: %s\n", path, count,
                line);
    free(line);
    fclose(file);
    return result;
}

int history_read(const char *history_path, const char *dump_path, struct history *out) {
    static struct reading r;
    *out = (struct history){0};
    r = (struct reading){.out = out};
    int result = each_line(history_path, &r, 0) || each_line(dump_path, &r, 1) ? -1 : 0;
    for (int i = 0; i < CLIENTS_MAX; i++)
        free(r.clients[i].request);
    return result;
}

void history_free(struct history *history) {
    for (size_t i = 0; i < history->life_count; i++)
        free(history->lives[i].entries);
    free(history->lives);
    free(history->requests);
    free(history->ends);
}
