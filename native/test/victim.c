#include "victim.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct order {
    char verb;
    uint8_t value;
    int offset;
    int64_t page;
    int64_t count;
};

static void die(const char *what) {
    perror(what);
    _exit(99);
}

static void *bustle(void *unused) {
    (void)unused;
    volatile uint8_t *own =
        mmap(NULL, 16 * REMUS_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0;; i++) {
        own[i % (16 * REMUS_PAGE)]++;
        if (i % 4096 == 0) {
            usleep(100);
        }
    }
    return NULL;
}

static uint8_t *page_of(struct victim *victim, int64_t page) {
    int64_t first = victim->blocks[0].bytes / REMUS_PAGE;
    return (uint8_t *)(page < first ? victim->blocks[0].address + page * REMUS_PAGE
                                    : victim->blocks[1].address + (page - first) * REMUS_PAGE);
}

static void live(struct victim *victim, int orders, int answers) {
    struct order order;
    while (read(orders, &order, sizeof order) == sizeof order) {
        uint8_t seen[REMUS_PAGE];
        for (int64_t i = 0; i < order.count; i++) {
            uint8_t *page = page_of(victim, order.page + i);
            if (order.verb == 'f') {
                memset(page, order.value, REMUS_PAGE);
            } else if (order.verb == 'p') {
                page[order.offset] = order.value;
            } else if (order.verb == 'd') {
                if (madvise(page, REMUS_PAGE, order.value) < 0) {
                    die("victim discard");
                }
            } else {
                memcpy(seen, page, REMUS_PAGE);
            }
        }
        if (write(answers, seen, sizeof seen) != sizeof seen) {
            die("victim answer");
        }
    }
    _exit(0);
}

void victim_start(struct victim *victim, enum victim_memory memory, int64_t pages, int threads) {
    int orders[2], answers[2];
    int64_t first = pages / 3;
    victim->pages = pages;
    victim->memory = memory;
    /* The mapping is made here, so that its place is known, and kept by the child alone. */
    int fd = memory == VICTIM_MEMFD ? memfd_create("ram", MFD_CLOEXEC) : -1;
    if (pipe(orders) < 0 || pipe(answers) < 0 ||
        (fd >= 0 && ftruncate(fd, (pages + 1) * REMUS_PAGE) < 0)) {
        die("victim start");
    }
    size_t bytes = (pages + 1) * REMUS_PAGE;
    uint8_t *ram = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
    if (ram == MAP_FAILED) {
        die("victim memory");
    }
    victim->blocks[0] = (struct remus_block){(uintptr_t)ram, first * REMUS_PAGE};
    victim->blocks[1] = (struct remus_block){(uintptr_t)ram + (first + 1) * REMUS_PAGE,
                                             (pages - first) * REMUS_PAGE};
    victim->pid = fork();
    if (victim->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(orders[1]);
        close(answers[0]);
        madvise(ram, bytes, MADV_NOHUGEPAGE); /* so that a page is a page */
        if (memory == VICTIM_MERGEABLE) {
            madvise(ram, bytes, MADV_MERGEABLE); /* as QEMU does */
        }
        if (memory == VICTIM_KVM && ioctl(open("/dev/kvm", O_RDWR), KVM_CREATE_VM, 0) < 0) {
            die("KVM_CREATE_VM");
        }
        for (int i = 0; i < threads; i++) {
            pthread_t thread;
            pthread_create(&thread, NULL, bustle, NULL);
        }
        live(victim, orders[0], answers[1]);
    }
    close(orders[0]);
    close(answers[1]);
    munmap(ram, bytes);
    if (fd >= 0) {
        close(fd);
    }
    victim->orders = orders[1];
    victim->answers = answers[0];
}

static void obey(struct victim *victim, struct order order, uint8_t *seen) {
    if (write(victim->orders, &order, sizeof order) != sizeof order ||
        read(victim->answers, seen, REMUS_PAGE) != REMUS_PAGE) {
        die("victim order");
    }
}

void victim_fill(struct victim *victim, int64_t page, int64_t count, uint8_t value) {
    uint8_t seen[REMUS_PAGE];
    obey(victim, (struct order){'f', value, 0, page, count}, seen);
}

void victim_poke(struct victim *victim, int64_t page, int offset, uint8_t value) {
    uint8_t seen[REMUS_PAGE];
    obey(victim, (struct order){'p', value, offset, page, 1}, seen);
}

void victim_discard(struct victim *victim, int64_t page, int64_t count) {
    uint8_t seen[REMUS_PAGE];
    uint8_t advice = victim->memory == VICTIM_MEMFD ? MADV_REMOVE : MADV_DONTNEED;
    obey(victim, (struct order){'d', advice, 0, page, count}, seen);
}

void victim_read(struct victim *victim, int64_t page, uint8_t *bytes) {
    obey(victim, (struct order){'r', 0, 0, page, 1}, bytes);
}

void victim_touch(struct victim *victim, int64_t page) {
    uint8_t seen[REMUS_PAGE];
    victim_read(victim, page, seen);
}

void victim_stop(struct victim *victim) {
    close(victim->orders);
    close(victim->answers);
    kill(victim->pid, SIGKILL);
    waitpid(victim->pid, NULL, 0);
}
