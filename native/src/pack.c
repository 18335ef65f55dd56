/*
 * A chunk's records, packed with zstd as a whole, so that pages and patches that are like each
 * other share what they have in common.
 *
 *      0            4      6      8
 *     +------------+------+------+----------------------------------------------+
 *     | raw bytes  | kind |  0   | one zstd frame (RFC 8878) to the chunk's end |
 *     +------------+------+------+----------------------------------------------+
 *
 *     PACKED 4   the frame holds that many bytes of records, none of them PACKED
 */
#include "pack.h"
#include "records.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#define LEVEL 1
#define LEAST 256 /* bytes of records that are worth the call */

int packer_open(struct packer *packer) {
    *packer = (struct packer){.context = ZSTD_createCCtx(), .records = malloc(PACK_MOST)};
    return packer->context == NULL || packer->records == NULL ? -ENOMEM : 0;
}

void packer_close(struct packer *packer) {
    ZSTD_freeCCtx(packer->context);
    free(packer->records);
}

int64_t packer_pack(struct packer *packer, int64_t bytes, uint8_t *out) {
    if (bytes < LEAST) {
        return 0;
    }
    size_t packed = ZSTD_compressCCtx(packer->context, out + RECORD_BYTES, bytes - RECORD_BYTES - 1,
                                      packer->records, bytes, LEVEL);
    if (ZSTD_isError(packed)) { /* it does not fit */
        return 0;
    }
    write_u32(out, bytes);
    write_u16(out + 4, RECORD_PACKED);
    write_u16(out + 6, 0);
    return RECORD_BYTES + (int64_t)packed;
}

/* Not one of zstd's formats from before RFC 8878 either, which the library may still know. */
bool pack_is_one_frame(const uint8_t *frame, int64_t bytes) {
    static const uint8_t magic[] = {0x28, 0xB5, 0x2F, 0xFD};
    return bytes > (int64_t)sizeof magic && memcmp(frame, magic, sizeof magic) == 0 &&
           ZSTD_findFrameCompressedSize(frame, bytes) == (size_t)bytes;
}

int unpack(const void *records, int64_t bytes, struct unpacked *out) {
    const uint8_t *at = records;
    *out = (struct unpacked){.records = at, .bytes = bytes};
    if (bytes < RECORD_BYTES || read_u16(at + 4) != RECORD_PACKED) {
        return 0;
    }
    int64_t raw = read_u32(at);
    if (raw == 0 || raw > PACK_MOST || read_u16(at + 6) != 0 ||
        !pack_is_one_frame(at + RECORD_BYTES, bytes - RECORD_BYTES)) {
        return -EBADMSG;
    }
    out->memory = malloc(raw);
    if (out->memory == NULL) {
        return -ENOMEM;
    }
    size_t got = ZSTD_decompress(out->memory, raw, at + RECORD_BYTES, bytes - RECORD_BYTES);
    if (got != (size_t)raw) { /* an error is larger than any size */
        unpacked_free(out);
        return -EBADMSG;
    }
    out->records = out->memory;
    out->bytes = raw;
    return 0;
}

void unpacked_free(struct unpacked *unpacked) {
    free(unpacked->memory);
    unpacked->memory = NULL;
}
