/*
 * The device states of one connection: each is one zstd frame (RFC 8878) made with the state before
 * it as prefix, for two states in a row hardly differ. The frame tells its content's size. Both
 * ends keep the state before.
 */
#include "internal.h"
#include "pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define LEVEL 1

struct bytes {
    uint8_t *at;
    int64_t size, room;
};

struct remus_states {
    ZSTD_CCtx *packing;
    ZSTD_DCtx *unpacking;
    struct bytes before; /* the last state that both ends have */
    struct bytes next;   /* what is made of it */
};

int remus_states_create(struct remus_states **out) {
    struct remus_states *states = calloc(1, sizeof *states);
    if (states == NULL) {
        return -ENOMEM;
    }
    states->packing = ZSTD_createCCtx();
    states->unpacking = ZSTD_createDCtx();
    if (states->packing == NULL || states->unpacking == NULL ||
        ZSTD_isError(ZSTD_CCtx_setParameter(states->packing, ZSTD_c_compressionLevel, LEVEL))) {
        remus_states_destroy(states);
        return -ENOMEM;
    }
    *out = states;
    return 0;
}

void remus_states_destroy(struct remus_states *states) {
    ZSTD_freeCCtx(states->packing);
    ZSTD_freeDCtx(states->unpacking);
    free(states->before.at);
    free(states->next.at);
    free(states);
}

static int make_room(struct bytes *bytes, int64_t room) {
    if (bytes->room < room) {
        free(bytes->at);
        *bytes = (struct bytes){.at = malloc(room)};
        if (bytes->at == NULL) {
            return -ENOMEM;
        }
        bytes->room = room;
    }
    return 0;
}

int64_t remus_states_pack(struct remus_states *states, const void *state, int64_t bytes,
                          const void **out) {
    if (bytes <= 0 || bytes > REMUS_STATE_MOST) {
        return -EINVAL;
    }
    if (make_room(&states->next, ZSTD_compressBound(bytes)) != 0) {
        return -ENOMEM;
    }
    ZSTD_CCtx_refPrefix(states->packing, states->before.at, states->before.size);
    size_t packed =
        ZSTD_compress2(states->packing, states->next.at, states->next.room, state, bytes);
    if (ZSTD_isError(packed) || make_room(&states->before, bytes) != 0) {
        return -ENOMEM; /* nothing else can go wrong */
    }
    memcpy(states->before.at, state, bytes);
    states->before.size = bytes;
    *out = states->next.at;
    return packed;
}

int64_t remus_states_unpack(struct remus_states *states, const void *packed, int64_t bytes,
                            const void **out) {
    if (!pack_is_one_frame(packed, bytes)) {
        return -EBADMSG;
    }
    unsigned long long raw = ZSTD_getFrameContentSize(packed, bytes);
    if (raw == 0 || raw > REMUS_STATE_MOST) { /* unknown is larger than any size */
        return -EBADMSG;
    }
    if (make_room(&states->next, raw) != 0) {
        return -ENOMEM;
    }
    ZSTD_DCtx_refPrefix(states->unpacking, states->before.at, states->before.size);
    if (ZSTD_decompressDCtx(states->unpacking, states->next.at, raw, packed, bytes) != raw) {
        return -EBADMSG;
    }
    struct bytes old = states->before;
    states->before = states->next;
    states->before.size = raw;
    states->next = old;
    *out = states->before.at;
    return raw;
}
