/* Copied pages, outside the Java heap: page data back to back, and a table of the runs they form.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int remus_arena_create(int64_t bytes, struct remus_arena **out) {
    int64_t capacity = bytes / REMUS_PAGE;
    if (capacity < 1) {
        return -EINVAL;
    }
    struct remus_arena *arena = calloc(1, sizeof *arena);
    if (arena == NULL) {
        return -ENOMEM;
    }
    arena->capacity = capacity;
    size_t table = capacity * sizeof *arena->runs;
    arena->data = mmap(NULL, capacity * REMUS_PAGE + table, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (arena->data == MAP_FAILED) {
        free(arena);
        return -ENOMEM;
    }
    arena->runs = (struct arena_run *)(arena->data + capacity * REMUS_PAGE);
    madvise(arena->data, capacity * REMUS_PAGE, MADV_HUGEPAGE);
    memset(arena->data, 0, capacity * REMUS_PAGE + table); /* no page fault inside a pause */
    *out = arena;
    return 0;
}

void remus_arena_destroy(struct remus_arena *arena) {
    if (arena != NULL) {
        munmap(arena->data, arena->capacity * (REMUS_PAGE + sizeof *arena->runs));
        free(arena);
    }
}

void arena_empty(struct remus_arena *arena) {
    arena->pages = arena->run_count = 0;
    arena->next_run = arena->next_in_run = arena->next_page = 0;
}

int64_t arena_add(struct remus_arena *arena, int64_t page, int64_t count) {
    int64_t room = arena->capacity - arena->pages;
    if (count > room) {
        count = room;
    }
    if (count > 0) {
        arena->runs[arena->run_count++] = (struct arena_run){page, count};
        arena->pages += count;
    }
    return count;
}
