// frame: writes one frame of the agents' protocol (docs/protocol.md) to stdout, or something that
// only looks like one. Written from that document alone, so that it also tests the document.
//
//   frame preface
//   frame TYPE [FLAW] FIELD...
//
// FIELDs make the payload in their order: u8=N u16=N u32=N u64=N, text=STRING (with its length
// before it), bytes=STRING, zeroes=COUNT. FLAWs: length=N, what the header says whatever follows;
// header-crc or payload-crc, a checksum that is wrong.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASTAGNOLI 0x82f63b78u // reflected
#define PAYLOAD_MAX (2 << 20)

static uint8_t payload[PAYLOAD_MAX];
static size_t length;

static uint32_t crc32c(const uint8_t *bytes, size_t count) {
    uint32_t crc = ~0u;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? CASTAGNOLI : 0);
    }
    return ~crc;
}

static void big_endian(uint8_t *to, uint64_t value, size_t bytes) {
    for (size_t i = bytes; i-- > 0; value >>= 8)
        to[i] = (uint8_t)value;
}

static void fail(const char *what) {
    fprintf(stderr, "frame: %s\n", what);
    exit(2);
}

static void add(const void *bytes, size_t count) {
    if (count > PAYLOAD_MAX - length)
        fail("the payload is too long");
    if (bytes)
        memcpy(payload + length, bytes, count);
    length += count;
}

static void add_number(uint64_t value, size_t bytes) {
    uint8_t number[8];
    big_endian(number, value, bytes);
    add(number, bytes);
}

static void field(const char *name, size_t name_length, const char *value) {
    uint64_t number = strtoull(value, NULL, 10);
    if (name_length > 1 && name[0] == 'u') {
        add_number(number, strtoul(name + 1, NULL, 10) / 8);
    } else if (!strncmp(name, "text=", 5)) {
        add_number(strlen(value), 2);
        add(value, strlen(value));
    } else if (!strncmp(name, "bytes=", 6)) {
        add(value, strlen(value));
    } else if (!strncmp(name, "zeroes=", 7)) {
        add(NULL, number);
    } else {
        fail("unknown field");
    }
}

int main(int count, char **arguments) {
    if (count < 2)
        fail("preface, or a type and fields");
    if (!strcmp(arguments[1], "preface")) {
        fwrite("REMUS\r\n", 1, 8, stdout);
        return 0;
    }
    uint64_t claimed = UINT64_MAX;
    uint32_t header_flaw = 0, payload_flaw = 0;
    for (int i = 2; i < count; i++) {
        const char *value = strchr(arguments[i], '=');
        if (!strcmp(arguments[i], "header-crc")) {
            header_flaw = 1;
        } else if (!strcmp(arguments[i], "payload-crc")) {
            payload_flaw = 1;
        } else if (!strncmp(arguments[i], "length=", 7)) {
            claimed = strtoull(value + 1, NULL, 10);
        } else if (value) {
            field(arguments[i], (size_t)(value - arguments[i]), value + 1);
        } else {
            fail("a field is NAME=VALUE");
        }
    }
    uint8_t header[16] = {(uint8_t)atoi(arguments[1])};
    big_endian(header + 4, claimed == UINT64_MAX ? length : claimed, 4);
    big_endian(header + 8, crc32c(payload, length) ^ payload_flaw, 4);
    big_endian(header + 12, crc32c(header, 12) ^ header_flaw, 4);
    fwrite(header, 1, sizeof header, stdout);
    fwrite(payload, 1, length, stdout);
    return fflush(stdout) ? 1 : 0;
}
