// ledger-crowd: several clients of one ledger at once, each with a connection of its own and one
// request under way, and a history of who asked and heard what, and when. history-check judges it.
//
// The history has a line for each of these, written at once; times are CLOCK_MONOTONIC:
//
//   clock <ns> <CLOCK_REALTIME at that moment>
//   run <the first part of every payload>
//   life <client> <ns> <life>                    connected, to a ledger of that life
//   append <client> <number> <ns>                asked; the payload is <run>-<client>-<number>
//   last <client> <number> <ns>
//   answer <client> <number> <ns> <sequence> <hash>
//   broke <client> <number> <ns>                 the connection broke, or no answer came for long
//
// What broke may have been done or not: nobody knows. The client then connects anew.
//
// With --dump it writes down the ledger's entries instead, from the given number on:
//
//   dump <life>
//   entry <number> <payload>
//   end <ns before> <sequence> <hash>            "last", asked before the first entry
//
// Exit status: 0; 1 the ledger did not answer (--dump), or a file cannot be written; 2 usage.
#include "talk.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)
#define READ_EVERY 5   // one request of so many is a "last"
#define PATIENCE_S 20  // longer than any outage that is no failure
#define CLIENTS_MAX 16 // a thread each
#define DUMP_WINDOW 200

static const char *address;
static unsigned short port;
static int64_t rate = 50; // requests a second of each client, at most
static char run[32];
static FILE *history;
static volatile sig_atomic_t stopped;

static void on_signal(int signal) {
    (void)signal;
    stopped = 1;
}

static void pause_ns(int64_t ns) {
    nanosleep(&(struct timespec){.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS}, NULL);
}

// One printf is one line even with several threads: stdio locks, and the buffer is a line's.
static void note(const char *line) {
    if (fputs(line, history) == EOF) {
        perror("ledger-crowd: history");
        exit(1);
    }
}

struct client {
    int id, socket;
    uint64_t number;
};

// Returns 0 when the client is connected and knows which life of the ledger it talks to.
static int reach(struct client *client) {
    char answer[TALK_LINE_MAX], line[TALK_LINE_MAX + 64];
    client->socket = talk_connect(address, port, PATIENCE_S);
    if (client->socket < 0)
        return -1;
    if (talk_ask(client->socket, "life\n", answer) || strlen(answer) != 16) {
        close(client->socket);
        return -1;
    }
    snprintf(line, sizeof line, "life %d %" PRId64 " %s\n", client->id, talk_now_ns(), answer);
    note(line);
    return 0;
}

// Returns 0 when it was answered.
static int request(struct client *client) {
    char question[128], answer[TALK_LINE_MAX], line[TALK_LINE_MAX + 64];
    uint64_t sequence, hash;
    int reads = client->number % READ_EVERY == 0;
    if (reads)
        strcpy(question, "last\n");
    else
        snprintf(question, sizeof question, "append %s-%d-%" PRIu64 "\n", run, client->id,
                 client->number);
    snprintf(line, sizeof line, "%s %d %" PRIu64 " %" PRId64 "\n", reads ? "last" : "append",
             client->id, client->number, talk_now_ns());
    note(line);
    int failed = talk_ask(client->socket, question, answer) ||
                 sscanf(answer, "%" SCNu64 " %" SCNx64, &sequence, &hash) != 2;
    int64_t now = talk_now_ns();
    if (failed)
        snprintf(line, sizeof line, "broke %d %" PRIu64 " %" PRId64 "\n", client->id,
                 client->number, now);
    else
        snprintf(line, sizeof line,
                 "answer %d %" PRIu64 " %" PRId64 " %" PRIu64 " %016" PRIx64 "\n", client->id,
                 client->number, now, sequence, hash);
    note(line);
    client->number++;
    return failed;
}

static void *live(void *argument) {
    struct client *client = argument;
    while (!stopped) {
        if (reach(client)) {
            pause_ns(SECOND_NS / 10);
            continue;
        }
        int64_t next = talk_now_ns();
        while (!stopped && !request(client)) {
            next += SECOND_NS / rate;
            int64_t wait = next - talk_now_ns();
            if (wait > 0)
                pause_ns(wait);
            else
                next -= wait;
        }
        close(client->socket);
    }
    return NULL;
}

static int crowd(int clients, const char *file) {
    static struct client all[CLIENTS_MAX];
    pthread_t threads[CLIENTS_MAX];
    struct timespec real;
    history = fopen(file, "we");
    if (!history) {
        perror(file);
        return 1;
    }
    setvbuf(history, NULL, _IOLBF, 1 << 12);
    clock_gettime(CLOCK_REALTIME, &real);
    int64_t real_ns = real.tv_sec * SECOND_NS + real.tv_nsec;
    snprintf(run, sizeof run, "%" PRIx64, (uint64_t)real_ns);
    fprintf(history, "clock %" PRId64 " %" PRId64 "\nrun %s\n", talk_now_ns(), real_ns, run);
    struct sigaction stop = {.sa_handler = on_signal};
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    for (int i = 0; i < clients; i++) {
        all[i].id = i;
        if (pthread_create(&threads[i], NULL, live, &all[i])) {
            fprintf(stderr, "ledger-crowd: no thread\n");
            return 1;
        }
    }
    for (int i = 0; i < clients; i++)
        pthread_join(threads[i], NULL);
    return fclose(history) ? 1 : 0;
}

// Many questions at once: while a VM is protected each answer waits for an epoch.
static int dump_entries(int s, uint64_t from, uint64_t to) {
    char answer[TALK_LINE_MAX];
    FILE *answers = fdopen(s, "r");
    for (uint64_t asked = from, heard = from; answers && heard <= to; heard++) {
        for (; asked <= to && asked < heard + DUMP_WINDOW; asked++)
            if (dprintf(s, "entry %" PRIu64 "\n", asked) < 0)
                return -1;
        if (!fgets(answer, sizeof answer, answers) || strncmp(answer, "entry ", 6))
            return -1;
        printf("entry %" PRIu64 " %s", heard, answer + 6);
    }
    return answers ? 0 : -1;
}

static int dump(uint64_t from) {
    char life[TALK_LINE_MAX], last[TALK_LINE_MAX];
    int s = talk_connect(address, port, PATIENCE_S);
    if (s < 0 || talk_ask(s, "life\n", life))
        return 1;
    int64_t before = talk_now_ns();
    if (talk_ask(s, "last\n", last))
        return 1;
    printf("dump %s\n", life);
    if (dump_entries(s, from, strtoull(last, NULL, 10)))
        return 1;
    printf("end %" PRId64 " %s\n", before, last);
    return fflush(stdout) ? 1 : 0;
}

static void usage(void) {
    fprintf(stderr, "usage: ledger-crowd ADDRESS PORT --history FILE [--clients N] [--rate N/s]\n"
                    "       ledger-crowd ADDRESS PORT --dump FIRST-ENTRY\n"
                    "3 clients with at most 50 requests a second each, until SIGTERM.\n");
    exit(2);
}

static int64_t positive(const char *text) {
    int64_t n = strtoll(text, NULL, 10);
    if (n < 1)
        usage();
    return n;
}

int main(int argc, char **argv) {
    const char *file = NULL;
    int64_t clients = 3, from = 0;
    if (argc < 5 || argc % 2 == 0)
        usage();
    address = argv[1];
    port = (unsigned short)positive(argv[2]);
    for (int i = 3; i < argc; i += 2) {
        if (!strcmp(argv[i], "--history"))
            file = argv[i + 1];
        else if (!strcmp(argv[i], "--clients"))
            clients = positive(argv[i + 1]);
        else if (!strcmp(argv[i], "--rate"))
            rate = positive(argv[i + 1]);
        else if (!strcmp(argv[i], "--dump"))
            from = positive(argv[i + 1]);
        else
            usage();
    }
    if (from)
        return dump((uint64_t)from);
    if (!file || clients > CLIENTS_MAX)
        usage();
    return crowd((int)clients, file);
}
