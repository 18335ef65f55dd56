/* The layout of page records: see records.c. */
#ifndef REMUS_RECORDS_H
#define REMUS_RECORDS_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

enum record_kind {
    RECORD_ZERO = 1, /* 0 is invalid */
    RECORD_FULL = 2,
    RECORD_PATCH = 3,
    RECORD_PACKED = 4, /* pack.c */
};
#define RECORD_BYTES 8
#define PATCH_RUN_BYTES 4

static inline uint16_t read_u16(const uint8_t *at) {
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return be16toh(value);
}

static inline uint32_t read_u32(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return be32toh(value);
}

static inline void write_u16(uint8_t *at, uint16_t value) {
    value = htobe16(value);
    memcpy(at, &value, sizeof value);
}

static inline void write_u32(uint8_t *at, uint32_t value) {
    value = htobe32(value);
    memcpy(at, &value, sizeof value);
}

#endif
