/* A process that stands for QEMU: it has RAM, and does with it what it is told. */
#ifndef REMUS_VICTIM_H
#define REMUS_VICTIM_H

#include "remus.h"

#include <stdint.h>
#include <sys/types.h>

enum victim_memory { VICTIM_ANONYMOUS, VICTIM_MEMFD, VICTIM_MERGEABLE, VICTIM_KVM };

struct victim {
    pid_t pid;
    enum victim_memory memory;
    int orders;
    int answers;
    struct remus_block blocks[2]; /* not next to each other */
    int64_t pages;                /* of both */
};

/* Threads that write to memory of no interest run beside it, if so many are wanted. */
void victim_start(struct victim *victim, enum victim_memory memory, int64_t pages, int threads);
/* Each returns when it has happened. */
void victim_fill(struct victim *victim, int64_t page, int64_t count, uint8_t value);
void victim_poke(struct victim *victim, int64_t page, int offset, uint8_t value);
/* Gives pages back to the kernel, as QEMU does for a balloon; they read as zeros from then on. */
void victim_discard(struct victim *victim, int64_t page, int64_t count);
void victim_touch(struct victim *victim, int64_t page); /* reads */
/* Bytes of a page, as the victim itself sees them. */
void victim_read(struct victim *victim, int64_t page, uint8_t *bytes);
void victim_stop(struct victim *victim);

#endif
