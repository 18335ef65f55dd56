// The running hash of a ledger, shared by the server in the guest and the client that checks it.
//
// FNV-1a, 64 bits, over every payload since the server's start, each followed by one newline byte
// (so that "ab","c" and "a","bc" differ). It is no secret and no signature: it only has to differ
// when any payload is lost, doubled or out of order.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HISTORY_EMPTY UINT64_C(0xcbf29ce484222325)

// Longest accepted payload in bytes, without the newline.
#define PAYLOAD_MAX 1000

static inline uint64_t history_byte(uint64_t hash, unsigned char byte) {
    return (hash ^ byte) * UINT64_C(0x100000001b3);
}

static inline uint64_t history_append(uint64_t hash, const char *payload, size_t length) {
    for (size_t i = 0; i < length; i++)
        hash = history_byte(hash, (unsigned char)payload[i]);
    return history_byte(hash, '\n');
}
