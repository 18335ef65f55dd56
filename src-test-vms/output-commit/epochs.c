#include "epochs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 32

// Splits a line at its commas, in place. Returns how many fields it has.
static int split(char *line, char **fields) {
    int n = 0;
    line[strcspn(line, "\r\n")] = 0;
    for (char *field; n < COLUMNS_MAX && (field = strsep(&line, ","));)
        fields[n++] = field;
    return n;
}

static int column(char **names, int count, const char *name) {
    for (int i = 0; i < count; i++)
        if (!strcmp(names[i], name))
            return i;
    fprintf(stderr, "output-commit: the epoch log has no column %s\n", name);
    return -1;
}

static int append(struct epoch **epochs, size_t *count, struct epoch epoch) {
    if ((*count & (*count - 1)) == 0) { // full at every power of two
        struct epoch *more = realloc(*epochs, (*count ? 2 * *count : 1) * sizeof *more);
        if (!more)
            return -1;
        *epochs = more;
    }
    (*epochs)[(*count)++] = epoch;
    return 0;
}

int epochs_read(const char *path, const char *vm, struct epoch **epochs, size_t *count) {
    char line[1024], *fields[COLUMNS_MAX];
    FILE *file = fopen(path, "re");
    *epochs = NULL;
    *count = 0;
    if (!file || !fgets(line, sizeof line, file)) {
        fprintf(stderr, "output-commit: no epoch log in %s\n", path);
        if (file)
            fclose(file);
        return -1;
    }
    int columns = split(line, fields);
    int name = column(fields, columns, "vm");
    int resumed = column(fields, columns, "resumed_realtime_ns");
    int acked = column(fields, columns, "acked_realtime_ns");
    int result = name < 0 || resumed < 0 || acked < 0 ? -1 : 0;
    while (!result && fgets(line, sizeof line, file)) {
        if (!strchr(line, '\n') || split(line, fields) != columns || strcmp(fields[name], vm))
            continue;
        int64_t ack = strtoll(fields[acked], NULL, 10);
        struct epoch epoch = {.resumed_ns = strtoll(fields[resumed], NULL, 10),
                              .acked_ns = ack > 0 ? ack : INT64_MAX};
        if (*count && epoch.resumed_ns < (*epochs)[*count - 1].resumed_ns) {
            fprintf(stderr, "output-commit: the epoch log is not in order of time\n");
            result = -1;
        } else {
            result = append(epochs, count, epoch);
        }
    }
    fclose(file);
    return result;
}
