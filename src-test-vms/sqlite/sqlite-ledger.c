// sqlite-ledger DATABASE: the ledger (see ledger.c) as a table of a SQLite database, on TCP port
// 7003. Every append is a transaction; an answered one is committed and on the disk. For that
// SQLite needs PRAGMA synchronous=EXTRA: with FULL, in journal mode "delete", the journal's removal
// is not on the disk yet, and a crash rolls back a transaction that was committed.
//
//   append <payload>      ->  <sequence number> <hash of all payloads so far, 16 hex digits>
//   last                  ->  the same two values of the last row up to which all rows continue
//                             each other, read from the files anew by another sqlite3
//   journal wal | delete  ->  the journal mode from now on (at the start: wal, or what it was)
//   check                 ->  {"integrity":"ok","journal":"wal","rows":..,"torn":..}: PRAGMA
//                             integrity_check, and rows that do not continue the ones before
//
// The work is done by the sqlite3 of the guest's Debian: this program writes SQL to it and waits
// for the word that follows the commit.
#define _GNU_SOURCE // pipe2
#include "../guest/ledger-file.h"
#include "../guest/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SQL_MAX (2 * PAYLOAD_MAX + 200)
#define ROWS "SELECT sequence || ' ' || hash || ' ' || payload FROM ledger ORDER BY sequence;"

static const char *database;
static struct ledger_end end = {.hash = HISTORY_EMPTY};

struct sqlite {
    pid_t pid;
    FILE *in, *out; // its stdin, its stdout
};

static struct sqlite writer;

static struct sqlite sqlite_start(void) {
    int in[2], out[2];
    struct sqlite sqlite = {0};
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || (sqlite.pid = fork()) < 0) {
        perror("sqlite-ledger: sqlite3");
        exit(1);
    }
    if (!sqlite.pid) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execlp("sqlite3", "sqlite3", "-batch", "-bail", "-init", "/dev/null", database, (char *)0);
        perror("sqlite-ledger: sqlite3");
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    sqlite.in = fdopen(in[1], "w");
    sqlite.out = fdopen(out[0], "r");
    return sqlite;
}

static void sqlite_end(struct sqlite *sqlite) {
    fclose(sqlite->in);
    fclose(sqlite->out);
    waitpid(sqlite->pid, NULL, 0);
}

// Runs statements in `sqlite` and keeps the last line of output that they give before the word that
// follows them. Returns -1 when sqlite3 ended instead: it does at the first error.
static int sqlite_run(struct sqlite *sqlite, const char *sql, char *line, size_t room) {
    char buffer[LEDGER_LINE_MAX];
    *line = 0;
    fprintf(sqlite->in, "%s\nSELECT 'done.';\n", sql);
    fflush(sqlite->in);
    while (fgets(buffer, sizeof buffer, sqlite->out)) {
        if (!strcmp(buffer, "done.\n"))
            return 0;
        buffer[strcspn(buffer, "\n")] = 0;
        buffer[room < sizeof buffer ? room - 1 : sizeof buffer - 1] = 0;
        strcpy(line, buffer);
    }
    return -1;
}

// What an sqlite3 of its own finds in the files. Their pages are not taken from the page cache.
struct found {
    char integrity[200], journal[16];
    struct ledger_end last;
    uint64_t rows, torn;
};

static void forget_pages(const char *suffix) {
    char path[512];
    snprintf(path, sizeof path, "%s%s", database, suffix);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        close(fd);
    }
}

static int look(int checking, struct found *found) {
    char line[LEDGER_LINE_MAX];
    sync();
    forget_pages("");
    forget_pages("-wal");
    *found = (struct found){.last = {.hash = HISTORY_EMPTY}};
    struct sqlite reader = sqlite_start();
    int failed = checking && (sqlite_run(&reader, "PRAGMA integrity_check;", found->integrity,
                                         sizeof found->integrity) ||
                              sqlite_run(&reader, "PRAGMA journal_mode;", found->journal,
                                         sizeof found->journal));
    if (!failed) {
        fputs(ROWS "\nSELECT 'done.';\n", reader.in);
        fflush(reader.in);
        failed = 1;
        while (failed && fgets(line, sizeof line, reader.out)) {
            failed = strcmp(line, "done.\n") != 0;
            found->rows += (uint64_t)failed;
            if (failed && (found->torn || !ledger_line(line, strlen(line), &found->last)))
                found->torn++;
        }
    }
    sqlite_end(&reader);
    return failed ? -1 : 0;
}

static size_t refusal(char *reply) {
    return (size_t)sprintf(reply, "error sqlite3 failed; the console says why\n");
}

static size_t append(const char *payload, size_t length, char *reply) {
    char head[64], sql[SQL_MAX], *to = sql;
    struct ledger_end next = end;
    ledger_line_head(&next, payload, length, head);
    to += sprintf(to, "INSERT INTO ledger VALUES (%" PRIu64 ", '%016" PRIx64 "', '", next.sequence,
                  next.hash);
    for (size_t i = 0; i < length; i++) {
        if (payload[i] == '\'')
            *to++ = '\'';
        *to++ = payload[i];
    }
    strcpy(to, "');");
    char line[16];
    if (sqlite_run(&writer, sql, line, sizeof line))
        return refusal(reply);
    end = next;
    return (size_t)sprintf(reply, "%" PRIu64 " %016" PRIx64 "\n", end.sequence, end.hash);
}

static size_t journal(const char *mode, char *reply) {
    char sql[64], line[16];
    if (strcmp(mode, "wal") && strcmp(mode, "delete"))
        return (size_t)sprintf(reply, "error expected: journal wal | journal delete\n");
    sprintf(sql, "PRAGMA journal_mode=%s;", mode);
    return sqlite_run(&writer, sql, line, sizeof line) ? refusal(reply)
                                                       : (size_t)sprintf(reply, "%s\n", line);
}

static size_t check(char *reply) {
    struct found found;
    if (look(1, &found))
        return refusal(reply);
    return (size_t)sprintf(reply,
                           "{\"integrity\":\"%s\",\"journal\":\"%s\",\"rows\":%" PRIu64
                           ",\"torn\":%" PRIu64 "}\n",
                           found.integrity, found.journal, found.rows, found.torn);
}

static size_t last(char *reply) {
    struct found found;
    if (look(0, &found))
        return refusal(reply);
    return (size_t)sprintf(reply, "%" PRIu64 " %016" PRIx64 "\n", found.last.sequence,
                           found.last.hash);
}

static size_t answer(const char *line, size_t length, char *reply) {
    if (!strcmp(line, "last"))
        return last(reply);
    if (!strcmp(line, "check"))
        return check(reply);
    if (!strncmp(line, "journal ", 8))
        return journal(line + 8, reply);
    if (strncmp(line, "append ", 7))
        return (size_t)sprintf(reply, "error expected: append <payload> | last | check | "
                                      "journal wal | journal delete\n");
    if (length - 7 > PAYLOAD_MAX || strlen(line) != length)
        return (size_t)sprintf(reply, "error a payload is text of at most %d bytes\n", PAYLOAD_MAX);
    return append(line + 7, length - 7, reply);
}

int main(int argc, char **argv) {
    char line[16];
    struct found found;
    if (argc != 2) {
        fprintf(stderr, "usage: sqlite-ledger DATABASE\n");
        return 2;
    }
    database = argv[1];
    int is_new = access(database, F_OK) != 0;
    struct line_server *server = lines_listen(7003, answer);
    lines_one_by_one(server);
    writer = sqlite_start();
    if (sqlite_run(&writer,
                   is_new ? "PRAGMA journal_mode=WAL;\n"
                            "CREATE TABLE ledger (sequence INTEGER PRIMARY KEY, hash TEXT NOT "
                            "NULL, payload TEXT NOT NULL);\n"
                            "PRAGMA synchronous=EXTRA;"
                          : "PRAGMA synchronous=EXTRA;",
                   line, sizeof line) ||
        look(0, &found) || found.torn) {
        fprintf(stderr, "sqlite-ledger: %s is damaged\n", database);
        return 1;
    }
    end = found.last;
    for (;;)
        lines_serve(server, -1);
}
