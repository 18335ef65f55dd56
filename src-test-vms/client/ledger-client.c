// ledger-client: keeps one TCP connection to the ledger busy and proves what became of every
// append.
//
// See usage() for the options. The clock of the log and of every *_monotonic_ns is CLOCK_MONOTONIC;
// *_realtime_ns is CLOCK_REALTIME, to compare with a power-off noted elsewhere on the same machine.
// The client must be the ledger's only writer, because it computes the history itself.
//
//   acked       appends answered with the sequence number and the hash that follow from all answers
//   before lost        appends that were answered and that a later answer shows to be gone
//   duplicated  entries in the ledger that no append of ours explains
//   mismatches  answers whose number is right and whose hash is not
//   unanswered  appends sent whose answer had not come when the run ended, or whose connection
//   broke
//   verified    true when the ledger, asked once more at the end, still ended with our last entry:
//               a disk-ledger reads its file for that
//
// Exit status: 0 nothing lost, duplicated or mismatched; 1 something was; 2 usage, or the ledger
// never answered.
#define _GNU_SOURCE // ppoll
#include "../guest/history.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)
#define PENDING_MAX 65536 // appends without an answer at most; beyond it the client waits
#define LINE_MAX_BYTES 128
#define DRAIN_NS (10 * SECOND_NS)
#define RECONNECT_NS (SECOND_NS / 10)

static struct {
    struct sockaddr_in6 address; // an IPv4 address in its IPv6 form
    const char *json, *log;
    int64_t rate;    // appends a second
    int64_t pending; // appends without an answer at most
    int64_t seconds; // 0: until SIGTERM
} options = {.rate = 100, .pending = PENDING_MAX};

// Appends sent and not answered, oldest first, as numbers from 0; append n is payload n (see
// payload()).
static struct {
    uint64_t first, next;
    int64_t sent_ns[PENDING_MAX];
} pending;

static struct { uint64_t sequence, hash; } history; // as of the last answer

static struct {
    uint64_t acked, lost, duplicated, mismatches, unanswered, reconnects;
    int64_t last_answer_ns, gap_ns, gap_start_ns;
    int verified;
    uint32_t *latency_us;
    size_t latencies, latency_room;
} seen;

static FILE *answers;
static volatile sig_atomic_t stopped;

static char out[1 << 20], in[1 << 16];
static size_t out_length, in_length;

static int64_t clock_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * SECOND_NS + t.tv_nsec;
}

static int64_t now_ns(void) {
    return clock_ns(CLOCK_MONOTONIC);
}

static int64_t realtime_ns(int64_t monotonic_ns) {
    return monotonic_ns + clock_ns(CLOCK_REALTIME) - now_ns();
}

static void on_signal(int signal) {
    (void)signal;
    stopped = 1;
}

static size_t payload(uint64_t number, char *text) {
    return (size_t)sprintf(text, "client-%d append-%" PRIu64, (int)getpid(), number);
}

static uint64_t history_after(uint64_t hash, uint64_t number) {
    char text[LINE_MAX_BYTES];
    return history_append(hash, text, payload(number, text));
}

// ---- what an answer means ----

static void note_latency(int64_t ns) {
    if (seen.latencies == seen.latency_room) {
        seen.latency_room = seen.latency_room ? 2 * seen.latency_room : 4096;
        seen.latency_us = realloc(seen.latency_us, seen.latency_room * sizeof *seen.latency_us);
        if (!seen.latency_us) {
            perror("ledger-client: memory");
            exit(2);
        }
    }
    seen.latency_us[seen.latencies++] = (uint32_t)(ns / 1000);
}

static void note_gap(int64_t now) {
    if (seen.last_answer_ns && now - seen.last_answer_ns > seen.gap_ns) {
        seen.gap_ns = now - seen.last_answer_ns;
        seen.gap_start_ns = seen.last_answer_ns;
    }
    seen.last_answer_ns = now;
}

// Compares the ledger's word with ours, counts the difference, and goes on from the ledger's word.
static void judge(uint64_t sequence, uint64_t hash, uint64_t expected, uint64_t expected_hash) {
    if (sequence < expected)
        seen.lost += expected - sequence;
    else if (sequence > expected)
        seen.duplicated += sequence - expected;
    else if (hash != expected_hash)
        seen.mismatches++;
    else
        seen.acked += expected - history.sequence;
    history.sequence = sequence;
    history.hash = hash;
}

static void on_answer(uint64_t sequence, uint64_t hash) {
    int64_t now = now_ns();
    note_gap(now);
    if (pending.first == pending.next) { // an answer that nobody asked for
        seen.duplicated++;
        return;
    }
    int64_t sent = pending.sent_ns[pending.first % PENDING_MAX];
    judge(sequence, hash, history.sequence + 1, history_after(history.hash, pending.first));
    pending.first++;
    note_latency(now - sent);
    if (answers)
        fprintf(answers, "%" PRId64 ",%" PRId64 ",%" PRIu64 ",%016" PRIx64 "\n", sent, now,
                sequence, hash);
}

// After a broken connection: some of the pending appends may be in the ledger, in order; the rest
// never arrived.
static void on_last_after_reconnect(uint64_t sequence, uint64_t hash) {
    note_gap(now_ns());
    uint64_t expected = history.sequence, expected_hash = history.hash;
    while (expected < sequence && pending.first < pending.next) {
        expected_hash = history_after(expected_hash, pending.first++);
        expected++;
    }
    judge(sequence, hash, expected, expected_hash);
    seen.unanswered += pending.next - pending.first;
    pending.first = pending.next;
}

// ---- the connection ----

static int try_connect(void) {
    int s = socket(options.address.sin6_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!connect(s, (struct sockaddr *)&options.address, sizeof options.address))
        return s;
    close(s);
    return -1;
}

// Asks for the last entry on a connection where nothing else is under way. Returns -1 when it
// breaks or time is up.
static int ask_last(int s, int64_t deadline_ns, uint64_t *sequence, uint64_t *hash) {
    char line[LINE_MAX_BYTES];
    size_t length = 0;
    if (send(s, "last\n", 5, MSG_NOSIGNAL) != 5)
        return -1;
    while (length < sizeof line - 1 && !memchr(line, '\n', length)) {
        int64_t left = deadline_ns - now_ns();
        struct pollfd ready = {.fd = s, .events = POLLIN};
        if (left <= 0 || poll(&ready, 1, (int)(left / 1000000) + 1) <= 0)
            return -1;
        ssize_t n = recv(s, line + length, sizeof line - 1 - length, 0);
        if (n <= 0)
            return -1;
        length += (size_t)n;
    }
    line[length] = 0;
    return sscanf(line, "%" SCNu64 " %" SCNx64, sequence, hash) == 2 ? 0 : -1;
}

// Tries until `deadline_ns` to reach the ledger and to learn its last entry. Returns the socket, or
// -1.
static int reach(int64_t deadline_ns, uint64_t *sequence, uint64_t *hash) {
    while (!stopped && now_ns() < deadline_ns) {
        int s = try_connect();
        if (s >= 0 && !ask_last(s, deadline_ns, sequence, hash)) {
            fcntl(s, F_SETFL, O_NONBLOCK);
            return s;
        }
        if (s >= 0)
            close(s);
        nanosleep(&(struct timespec){.tv_nsec = RECONNECT_NS}, NULL);
    }
    return -1;
}

static int would_block(ssize_t result) {
    return result < 0 && (errno == EAGAIN || errno == EINTR);
}

static void append_due(int64_t now, int64_t *next_ns) {
    // Appends that could not be made in time are left out, not sent in a burst.
    if (now - *next_ns > SECOND_NS)
        *next_ns = now;
    while (*next_ns <= now && pending.next - pending.first < (uint64_t)options.pending &&
           out_length + LINE_MAX_BYTES <= sizeof out) {
        memcpy(out + out_length, "append ", 7);
        size_t length = 7 + payload(pending.next, out + out_length + 7);
        out[out_length + length++] = '\n';
        out_length += length;
        pending.sent_ns[pending.next++ % PENDING_MAX] = now;
        *next_ns += SECOND_NS / options.rate;
    }
}

static int write_out(int s) {
    ssize_t n = out_length ? send(s, out, out_length, MSG_NOSIGNAL) : 0;
    if (n < 0)
        return would_block(n) ? 0 : -1;
    out_length -= (size_t)n;
    memmove(out, out + n, out_length);
    return 0;
}

static int read_in(int s) {
    ssize_t n = recv(s, in + in_length, sizeof in - in_length, 0);
    if (n <= 0)
        return would_block(n) ? 0 : -1;
    in_length += (size_t)n;
    size_t done = 0;
    char *end;
    while ((end = memchr(in + done, '\n', in_length - done))) {
        uint64_t sequence, hash;
        *end = 0;
        if (sscanf(in + done, "%" SCNu64 " %" SCNx64, &sequence, &hash) == 2)
            on_answer(sequence, hash);
        else
            fprintf(stderr, "ledger-client: not an answer: %s\n", in + done);
        done = (size_t)(end + 1 - in);
    }
    in_length -= done;
    memmove(in, in + done, in_length);
    return in_length == sizeof in ? -1 : 0; // an endless line is no ledger
}

// Sends at the set rate until `end_ns` or SIGTERM, then waits for the answers under way. Returns -1
// when the connection breaks.
static int converse(int s, int64_t end_ns) {
    int64_t next_ns = now_ns(), give_up_ns = INT64_MAX;
    for (;;) {
        int64_t now = now_ns();
        int sending = !stopped && now < end_ns;
        if (sending)
            append_due(now, &next_ns);
        else if (give_up_ns == INT64_MAX)
            give_up_ns = now + DRAIN_NS;
        if (write_out(s))
            return -1;
        if (!sending && (pending.first == pending.next || now >= give_up_ns))
            return 0;
        // With no room for another append only an answer helps; it wakes the poll by itself.
        int64_t wait_ns = sending && next_ns > now ? next_ns - now : SECOND_NS / 10;
        struct timespec wait = {.tv_sec = wait_ns / SECOND_NS, .tv_nsec = wait_ns % SECOND_NS};
        struct pollfd ready = {.fd = s, .events = (short)(POLLIN | (out_length ? POLLOUT : 0))};
        if (ppoll(&ready, 1, &wait, NULL) > 0 && (ready.revents & ~POLLOUT) && read_in(s))
            return -1;
    }
}

// ---- the report ----

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double latency_ms(double share) {
    if (!seen.latencies)
        return 0;
    return seen.latency_us[(size_t)(share * (double)(seen.latencies - 1))] / 1e3;
}

static void report(FILE *file) {
    qsort(seen.latency_us, seen.latencies, sizeof *seen.latency_us, by_size);
    int64_t gap_start = seen.gap_ns ? realtime_ns(seen.gap_start_ns) : 0;
    fprintf(file, "{\"sent\":%" PRIu64 ",\"acked\":%" PRIu64 ",\"lost\":%" PRIu64, pending.next,
            seen.acked, seen.lost);
    fprintf(file, ",\"duplicated\":%" PRIu64 ",\"mismatches\":%" PRIu64, seen.duplicated,
            seen.mismatches);
    fprintf(file, ",\"unanswered\":%" PRIu64 ",\"reconnects\":%" PRIu64,
            seen.unanswered + pending.next - pending.first, seen.reconnects);
    fprintf(file, ",\"verified\":%s", seen.verified ? "true" : "false");
    fprintf(file, ",\"longest_gap_ms\":%.3f,\"longest_gap_start_realtime_ns\":%" PRId64,
            (double)seen.gap_ns / 1e6, gap_start);
    fprintf(file, ",\"longest_gap_end_realtime_ns\":%" PRId64, gap_start + seen.gap_ns);
    fprintf(file, ",\"latency_ms\":{\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}", latency_ms(.5),
            latency_ms(.99), latency_ms(1));
    fprintf(file, ",\"sequence\":%" PRIu64 ",\"hash\":\"%016" PRIx64 "\"}\n", history.sequence,
            history.hash);
}

static FILE *created(const char *path) {
    FILE *file = fopen(path, "we");
    if (!file) {
        fprintf(stderr, "ledger-client: cannot write %s: %s\n", path, strerror(errno));
        exit(2);
    }
    return file;
}

static void usage(void) {
    fprintf(
        stderr,
        "usage: ledger-client ADDRESS PORT [--rate N/s] [--seconds S] [--pending N]\n"
        "                     [--json FILE] [--log FILE]\n"
        "Appends N times a second (100) for S seconds (until SIGTERM) over one connection, with "
        "at\n"
        "most so many without an answer (65536): a slow ledger is not overrun.\n"
        "The log has a line for every answer: sent ns, received ns (monotonic), sequence, hash.\n");
    exit(2);
}

static int64_t positive(const char *text) {
    int64_t n = strtoll(text, NULL, 10); // "200/s" is 200
    if (n < 1 || n > 1000000)
        usage();
    return n;
}

static void parse(int argc, char **argv) {
    if (argc < 3)
        usage();
    char mapped[INET6_ADDRSTRLEN + 8];
    snprintf(mapped, sizeof mapped, "%s%s", strchr(argv[1], ':') ? "" : "::ffff:", argv[1]);
    if (inet_pton(AF_INET6, mapped, &options.address.sin6_addr) != 1)
        usage();
    options.address.sin6_family = AF_INET6;
    options.address.sin6_port = htons((uint16_t)positive(argv[2]));
    for (int i = 3; i < argc; i += 2) {
        const char *value = argv[i + 1];
        if (!value)
            usage();
        if (!strcmp(argv[i], "--rate"))
            options.rate = positive(value);
        else if (!strcmp(argv[i], "--seconds"))
            options.seconds = positive(value);
        else if (!strcmp(argv[i], "--pending"))
            options.pending = positive(value);
        else if (!strcmp(argv[i], "--json"))
            options.json = value;
        else if (!strcmp(argv[i], "--log"))
            options.log = value;
        else
            usage();
    }
    if (options.pending > PENDING_MAX)
        usage();
}

int main(int argc, char **argv) {
    parse(argc, argv);
    struct sigaction stop = {.sa_handler = on_signal};
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    answers = options.log ? created(options.log) : NULL;
    FILE *json = options.json ? created(options.json) : stdout;

    int s = reach(now_ns() + 10 * SECOND_NS, &history.sequence, &history.hash);
    if (s < 0) {
        fprintf(stderr, "ledger-client: no ledger answers at %s port %s\n", argv[1], argv[2]);
        return 2;
    }
    int64_t end_ns = options.seconds ? now_ns() + options.seconds * SECOND_NS : INT64_MAX;
    uint64_t sequence, hash;
    while (s >= 0 && converse(s, end_ns)) {
        close(s);
        in_length = out_length = 0;
        s = reach(end_ns, &sequence, &hash);
        if (s >= 0) {
            seen.reconnects++;
            on_last_after_reconnect(sequence, hash);
        }
    }
    // The ledger's last word. With answers still under way it could not be told from them.
    if (s >= 0 && pending.first == pending.next && fcntl(s, F_SETFL, 0) == 0 &&
        !ask_last(s, now_ns() + DRAIN_NS, &sequence, &hash)) {
        seen.verified = sequence == history.sequence && hash == history.hash;
        judge(sequence, hash, history.sequence, history.hash);
    }
    report(json);
    if (answers && fclose(answers))
        perror("ledger-client: log");
    if (fclose(json))
        perror("ledger-client: json");
    return seen.lost || seen.duplicated || seen.mismatches;
}
