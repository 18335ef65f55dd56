#include "capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_MICROSECONDS 0xa1b2c3d4
#define MAGIC_NANOSECONDS 0xa1b23c4d
#define FRAME_MAX (1 << 18)

struct file_header {
    uint32_t magic, version, zone, accuracy, frame_max, link;
};

struct frame_header {
    uint32_t seconds, fraction, captured, length;
};

static void forget(unsigned char *frame, size_t length, size_t at) {
    if (at + 2 <= length)
        frame[at] = frame[at + 1] = 0;
}

// Checksums may be filled in on the way (offload), so they are no part of what makes two sightings
// equal.
static void forget_checksums(unsigned char *frame, size_t length) {
    size_t transport, protocol;
    if (length >= 34 && frame[12] == 0x08 && frame[13] == 0x00) {
        transport = 14 + (frame[14] & 15u) * 4;
        protocol = frame[23];
        forget(frame, length, 24);
    } else if (length >= 54 && frame[12] == 0x86 && frame[13] == 0xdd) {
        transport = 54;
        protocol = frame[20];
    } else {
        return;
    }
    if (protocol == 6)
        forget(frame, length, transport + 16);
    else if (protocol == 17)
        forget(frame, length, transport + 6);
}

static uint64_t content(unsigned char *frame, size_t length) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325); // FNV-1a
    forget_checksums(frame, length);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ frame[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static int append(struct packet **packets, size_t *count, struct packet packet) {
    if ((*count & (*count - 1)) == 0) { // full at every power of two
        struct packet *more = realloc(*packets, (*count ? 2 * *count : 1) * sizeof *more);
        if (!more)
            return -1;
        *packets = more;
    }
    (*packets)[(*count)++] = packet;
    return 0;
}

int capture_read(const char *path, struct packet **packets, size_t *count) {
    static unsigned char frame[FRAME_MAX];
    struct file_header header;
    struct frame_header about;
    FILE *file = fopen(path, "re");
    *packets = NULL;
    *count = 0;
    if (!file || fread(&header, sizeof header, 1, file) != 1 ||
        (header.magic != MAGIC_NANOSECONDS && header.magic != MAGIC_MICROSECONDS)) {
        fprintf(stderr, "output-commit: %s is no capture file of this machine\n", path);
        if (file)
            fclose(file);
        return -1;
    }
    int64_t fraction_ns = header.magic == MAGIC_NANOSECONDS ? 1 : 1000;
    int result = 0;
    while (!result && fread(&about, sizeof about, 1, file) == 1) {
        if (about.captured > FRAME_MAX) {
            fprintf(stderr, "output-commit: %s has a frame of %u bytes\n", path, about.captured);
            result = -1;
        } else if (fread(frame, 1, about.captured, file) != about.captured) {
            break;
        } else {
            struct packet packet = {.time_ns = about.seconds * INT64_C(1000000000) +
                                               about.fraction * fraction_ns,
                                    .content = content(frame, about.captured)};
            result = append(packets, count, packet);
        }
    }
    fclose(file);
    return result;
}
