// visible-check WATCH MOVES: was the guest ever seen on two hosts at once? One line of JSON; what
// is wrong, frame by frame, on stderr.
//
// WATCH is guest-watch's; a port is named HOST-NET, and what is named otherwise is no port. MOVES
// has a line "<CLOCK_REALTIME ns> <HOST>" for each time at which a host began to run the guest, as
// that host says itself.
//
//   frames       that were seen
//   moves        how often the guest was seen on another host than before, with a move that says so
//   interleaved  frames of a host after another one had shown the guest, without a move back
//   arp          of those ARP, which has a count of its own: not every kernel can hold it
//   late         frames of the former host after the move, before the new one showed anything
//   late_ms      by how much, at most
//   dropped      frames that the watch could not see
//
// Exit status: 0 never (ARP aside), and nothing was dropped; 1 not so; 2 usage, unreadable files.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_MAX 16
#define ARP 0x0806
#define TOLD_MAX 40 // findings on stderr

struct sighting {
    int64_t ns;
    char host[HOST_MAX];
    unsigned type;
};

struct sightings {
    struct sighting *all;
    size_t count;
    uint64_t dropped;
};

static void append(struct sightings *list, struct sighting one) {
    if ((list->count & (list->count - 1)) == 0) { // full at every power of two
        size_t room = list->count ? 2 * list->count : 1;
        list->all = realloc(list->all, room * sizeof *list->all);
        if (!list->all) {
            perror("visible-check: memory");
            exit(2);
        }
    }
    list->all[list->count++] = one;
}

static int by_time(const void *a, const void *b) {
    const struct sighting *x = a, *y = b;
    return (x->ns > y->ns) - (x->ns < y->ns);
}

// Both files: a time, a host, and for a frame its ethertype. A line cut off at the end is left out.
static int read_sightings(const char *path, struct sightings *out) {
    char line[256], name[32];
    FILE *file = fopen(path, "re");
    if (!file) {
        perror(path);
        return -1;
    }
    while (fgets(line, sizeof line, file) && strchr(line, '\n')) {
        struct sighting one = {0};
        uint64_t dropped;
        int fields = sscanf(line, "%" SCNd64 " %31s %x", &one.ns, name, &one.type);
        if (sscanf(line, "dropped %" SCNu64, &dropped) == 1) {
            out->dropped += dropped;
        } else if (fields < 2 || strcspn(name, "-") >= HOST_MAX) {
            fprintf(stderr, "visible-check: %s makes no sense: %s", path, line);
            fclose(file);
            return -1;
        } else if (fields == 2 || strchr(name, '-')) { // the bridge hears broadcasts once more
            memcpy(one.host, name, strcspn(name, "-"));
            append(out, one);
        }
    }
    fclose(file);
    if (out->count)
        qsort(out->all, out->count, sizeof *out->all, by_time);
    return 0;
}

// The latest move to `host` in the time from `after_ns` to `until_ns`, the former left out; 0
// without one.
static int64_t move_to(const struct sightings *moves, const char *host, int64_t after_ns,
                       int64_t until_ns) {
    int64_t found = 0;
    for (size_t i = 0; i < moves->count && moves->all[i].ns <= until_ns; i++)
        if (moves->all[i].ns > after_ns && !strcmp(moves->all[i].host, host))
            found = moves->all[i].ns;
    return found;
}

// The first move away from `host` after `after_ns`; INT64_MAX without one.
static int64_t move_from(const struct sightings *moves, const char *host, int64_t after_ns) {
    for (size_t i = 0; i < moves->count; i++)
        if (moves->all[i].ns > after_ns && strcmp(moves->all[i].host, host))
            return moves->all[i].ns;
    return INT64_MAX;
}

struct verdict {
    uint64_t moves, interleaved, arp, late;
    int64_t late_ns;
};

static void tell(const char *what, const struct sighting *frame, uint64_t count) {
    if (count <= TOLD_MAX)
        fprintf(stderr, "%s: %s, ethertype %04x, at %" PRId64 "\n", what, frame->host, frame->type,
                frame->ns);
}

static struct verdict judge(const struct sightings *frames, const struct sightings *moves) {
    struct verdict v = {0};
    const char *seen_on = frames->count ? frames->all[0].host : "";
    int64_t since_ns = 0,
            left_ns = move_from(moves, seen_on, frames->count ? frames->all[0].ns : 0);
    for (size_t i = 0; i < frames->count; i++) {
        const struct sighting *frame = &frames->all[i];
        if (!strcmp(frame->host, seen_on)) {
            // It may have come back without having been seen elsewhere.
            int64_t again_ns =
                frame->ns > left_ns ? move_to(moves, seen_on, left_ns, frame->ns) : 0;
            if (again_ns) {
                since_ns = again_ns;
                left_ns = move_from(moves, seen_on, since_ns);
            }
            if (frame->ns > left_ns && frame->type != ARP) {
                tell("late", frame, ++v.late);
                if (frame->ns - left_ns > v.late_ns)
                    v.late_ns = frame->ns - left_ns;
            }
            continue;
        }
        int64_t move_ns = move_to(moves, frame->host, since_ns, frame->ns);
        if (move_ns) {
            v.moves++;
            seen_on = frame->host;
            since_ns = move_ns;
            left_ns = move_from(moves, seen_on, since_ns);
        } else if (frame->type == ARP) {
            tell("ARP interleaved", frame, ++v.arp);
        } else {
            tell("interleaved", frame, ++v.interleaved);
        }
    }
    return v;
}

int main(int argc, char **argv) {
    struct sightings frames = {0}, moves = {0};
    if (argc != 3) {
        fprintf(stderr, "usage: visible-check WATCH MOVES\n");
        return 2;
    }
    if (read_sightings(argv[1], &frames) || read_sightings(argv[2], &moves))
        return 2;
    struct verdict v = judge(&frames, &moves);
    printf("{\"frames\":%zu,\"moves\":%" PRIu64 ",\"interleaved\":%" PRIu64 ",\"arp\":%" PRIu64
           ",\"late\":%" PRIu64 ",\"late_ms\":%.3f,\"dropped\":%" PRIu64 "}\n",
           frames.count, v.moves, v.interleaved, v.arp, v.late, (double)v.late_ns / 1e6,
           frames.dropped);
    free(frames.all);
    free(moves.all);
    return v.interleaved || frames.dropped;
}
