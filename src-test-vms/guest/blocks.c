#define _GNU_SOURCE // O_DIRECT
#include "blocks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (256 * BLOCK_BYTES)

static uint64_t sum(const uint64_t block[BLOCK_WORDS]) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (int i = 1; i < BLOCK_WORDS; i++)
        hash = (hash ^ block[i]) * UINT64_C(0x100000001b3);
    return hash;
}

void block_fill(uint64_t block[BLOCK_WORDS], uint64_t file, uint64_t number, uint64_t generation) {
    uint64_t noise = (generation << 20 | number) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    block[1] = file;
    block[2] = number;
    block[3] = generation;
    for (int i = 4; i < BLOCK_WORDS; i++) {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        block[i] = noise ^= noise << 17;
    }
    block[0] = sum(block);
}

static int is_empty(const uint64_t block[BLOCK_WORDS]) {
    for (int i = 0; i < BLOCK_WORDS; i++)
        if (block[i])
            return 0;
    return 1;
}

static void check_block(const uint64_t block[BLOCK_WORDS], uint64_t file, uint64_t number,
                        struct blocks_found *found) {
    found->blocks++;
    if (is_empty(block))
        found->empty++;
    else if (block[0] != sum(block) || block[1] != file || block[2] != number)
        found->bad++;
}

static int check_file(int fd, uint64_t file, char *buffer, struct blocks_found *found) {
    uint64_t number = 0;
    ssize_t n;
    while ((n = read(fd, buffer, CHUNK)) > 0) {
        for (ssize_t at = 0; at + BLOCK_BYTES <= n; at += BLOCK_BYTES)
            check_block((const uint64_t *)(void *)(buffer + at), file, number++, found);
        if (n % BLOCK_BYTES) // only whole blocks are ever written
            found->bad++;
    }
    found->files++;
    return n ? -1 : 0;
}

static int check_named(int folder, const char *name, char *buffer, struct blocks_found *found) {
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_DIRECT);
    if (fd < 0 && errno == EINVAL)
        fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = check_file(fd, strtoull(name, NULL, 10), buffer, found);
    close(fd);
    return result;
}

int blocks_check(const char *folder, struct blocks_found *found) {
    DIR *names = opendir(folder);
    char *buffer = aligned_alloc(BLOCK_BYTES, CHUNK);
    int result = names && buffer ? 0 : -1;
    struct dirent *entry;
    while (!result && (entry = readdir(names)))
        if (entry->d_name[0] != '.')
            result = check_named(dirfd(names), entry->d_name, buffer, found);
    if (result)
        perror(folder);
    if (names)
        closedir(names);
    free(buffer);
    return result;
}
