/* Records packed with zstd: see pack.c. */
#ifndef REMUS_PACK_H
#define REMUS_PACK_H

#include <stdbool.h>
#include <stdint.h>

#define PACK_MOST (256 * 1024) /* bytes of records that one pack holds */

struct packer {
    void *context;
    uint8_t *records; /* PACK_MOST bytes: what is to be packed */
};

int packer_open(struct packer *packer);
void packer_close(struct packer *packer);
/* Packs the first bytes of records to out, which has room for as many. Returns what it wrote, or 0
 * when that would not be less. */
int64_t packer_pack(struct packer *packer, int64_t bytes, uint8_t *out);

/* Records as they were before they were packed. */
struct unpacked {
    const uint8_t *records;
    int64_t bytes;
    uint8_t *memory; /* NULL: they were not packed */
};

/* Opens untrusted records, packed or not. -EBADMSG: not one whole pack of the size it tells.
 * -ENOMEM. */
int unpack(const void *records, int64_t bytes, struct unpacked *out);
void unpacked_free(struct unpacked *unpacked);

/* Untrusted bytes are one zstd frame (RFC 8878) and nothing else. */
bool pack_is_one_frame(const uint8_t *frame, int64_t bytes);

#endif
