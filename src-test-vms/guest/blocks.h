// Blocks that say themselves whether they are whole and in their place: the contents of the heavy
// writer's files, which the guest and the judge of disk images check.
//
// A file's name is its number, in decimal.
#pragma once

#include <stdint.h>

#define BLOCK_BYTES 4096
#define BLOCK_WORDS (BLOCK_BYTES / 8)

struct blocks_found {
    uint64_t files, blocks;
    uint64_t empty; // all zeros: a hole, or allocated and not yet written
    uint64_t bad;   // neither: torn, or another block's content
};

// Fills the block `number` of a file. `generation` makes its content another one at every write.
void block_fill(uint64_t block[BLOCK_WORDS], uint64_t file, uint64_t number, uint64_t generation);

// Adds what every file in `folder` holds, read past the page cache where the file system can do
// that. Returns -1, with a message, when something cannot be read.
int blocks_check(const char *folder, struct blocks_found *found);
