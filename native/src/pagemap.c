/*
 * Tracking by the page tables: an asynchronous write-protect userfaultfd in the guest's process,
 * and PAGEMAP_SCAN, which finds written pages and protects them again in one atomic step.
 * (Documentation/admin-guide/mm/userfaultfd.rst and pagemap.rst)
 *
 * The first scan reports every page as written, those too that were never populated; these are told
 * by their other categories and left out. They get markers in the page table, so that from then on
 * a page counts as written when the guest first writes it, and when it is discarded.
 */
#include "internal.h"
#include "kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REGIONS 65536
#define LOOKED 1024
#define SPAN_GAP (2 << 20) /* written pages nearer than this are protected by one call */

struct write_protect {
    int remote_fd; /* the userfaultfd's number over there */
    int uffd;      /* our copy of it */
    int pagemap;
    bool scanned;
    bool kvm;
    struct page_region looked[LOOKED];
    struct page_region regions[REGIONS];
};

/* ---- infect and cure --------------------------------------------------------------------------
 */

static bool links_to(const struct ram *ram, const char *fd, const char *target) {
    char path[96], text[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%s", ram->pid, fd);
    ssize_t bytes = readlink(path, text, sizeof text - 1);
    text[bytes > 0 ? bytes : 0] = 0;
    return strcmp(text, target) == 0;
}

/* Whether fd of the process is a userfaultfd in asynchronous mode: QEMU makes others, never such.
 */
static bool is_ours(const struct ram *ram, const char *fd) {
    if (!links_to(ram, fd, "anon_inode:[userfaultfd]")) {
        return false;
    }
    char name[64], text[256];
    snprintf(name, sizeof name, "fdinfo/%s", fd);
    int info = ram_proc(ram, name, O_RDONLY);
    ssize_t bytes = info < 0 ? 0 : read(info, text, sizeof text - 1);
    text[bytes > 0 ? bytes : 0] = 0;
    if (info >= 0) {
        close(info);
    }
    unsigned long long features = 0;
    const char *api = strstr(text, "API:");
    return api != NULL && sscanf(api, "API: %*x:%llx", &features) == 1 &&
           (features & UFFD_FEATURE_WP_ASYNC) != 0;
}

static bool is_kvm(const struct ram *ram, const char *fd) {
    return links_to(ram, fd, "anon_inode:kvm-vm");
}

/* The first descriptor of the process of which is() holds, or -1. */
static int find_fd(const struct ram *ram, bool (*is)(const struct ram *ram, const char *fd)) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/fd", ram->pid);
    DIR *directory = opendir(path);
    int found = -1;
    for (struct dirent *entry; found < 0 && directory && (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] != '.' && is(ram, entry->d_name)) {
            found = atoi(entry->d_name);
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return found;
}

static int each_part(struct remus_tracker *tracker,
                     int (*act)(int uffd, struct uffdio_range range)) {
    struct write_protect *own = tracker->own;
    for (int i = 0; i < tracker->ram.count; i++) {
        const struct ram_part *part = &tracker->ram.parts[i];
        int error = act(own->uffd, (struct uffdio_range){part->address, part->pages * REMUS_PAGE});
        if (error < 0) {
            return error;
        }
    }
    return 0;
}

static int watch(int uffd, struct uffdio_range range) {
    struct uffdio_register ask = {.range = range, .mode = UFFDIO_REGISTER_MODE_WP};
    return ioctl(uffd, UFFDIO_REGISTER, &ask) < 0 ? -errno : 0;
}

static int unwatch(int uffd, struct uffdio_range range) {
    return ioctl(uffd, UFFDIO_UNREGISTER, &range) < 0 ? -errno : 0;
}

static int infect(struct remus_tracker *tracker) {
    struct write_protect *own = tracker->own;
    own->remote_fd = find_fd(&tracker->ram, is_ours); /* an earlier agent left it behind */
    bool left = own->remote_fd >= 0;
    if (!left) {
        long made =
            inject(tracker->ram.pid, SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
        if (made < 0) {
            return made;
        }
        own->remote_fd = made;
    }
    own->uffd = syscall(SYS_pidfd_getfd, tracker->ram.pidfd, own->remote_fd, 0);
    if (own->uffd < 0) {
        return -errno;
    }
    if (left) {
        each_part(tracker, unwatch); /* forgets what is protected: it starts like a new one */
    } else {
        struct uffdio_api api = {.api = UFFD_API, .features = REMUS_UFFD_FEATURES};
        if (ioctl(own->uffd, UFFDIO_API, &api) < 0) {
            return -errno;
        }
    }
    return each_part(tracker, watch);
}

static void cure(struct remus_tracker *tracker) {
    struct write_protect *own = tracker->own;
    if (own->uffd >= 0) {
        each_part(tracker, unwatch);
        close(own->uffd);
    }
    if (own->remote_fd >= 0 && ram_alive(&tracker->ram)) {
        inject(tracker->ram.pid, SYS_close, own->remote_fd);
    }
}

/* ---- scan -------------------------------------------------------------------------------------
 */

/* In the first scan, whether a page may hold anything but zeros. */
static bool has_content(uint64_t categories) {
    return (categories & (PAGE_IS_PRESENT | PAGE_IS_SWAPPED)) != 0 &&
           (categories & PAGE_IS_PFNZERO) == 0;
}

/* Marks what was written between start and end, and protects it again. */
static int take_written(struct remus_tracker *tracker, const struct ram_part *part, uint64_t start,
                        uint64_t end, bool first) {
    struct write_protect *own = tracker->own;
    struct pm_scan_arg ask = {
        .size = sizeof ask,
        .flags = PM_SCAN_WP_MATCHING | PM_SCAN_CHECK_WPASYNC,
        .start = start,
        .end = end,
        .vec = (uintptr_t)own->regions,
        .vec_len = REGIONS,
        .category_mask = PAGE_IS_WRITTEN,
        .return_mask = PAGE_IS_WRITTEN, /* this alone is a faster path in the kernel */
    };
    if (first) {
        ask.return_mask |= PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_PFNZERO;
        /* A file's page may have content and yet be absent from the page table: take all of them.
         */
        ask.category_mask = part->file ? 0 : PAGE_IS_WRITTEN;
    }
    while (ask.start < ask.end) {
        long count = ioctl(own->pagemap, PAGEMAP_SCAN, &ask);
        if (count < 0) {
            return -errno;
        }
        for (long i = 0; i < count; i++) {
            const struct page_region *region = &own->regions[i];
            if (!first || part->file || has_content(region->categories)) {
                tracker_mark(tracker, part->first + (region->start - part->address) / REMUS_PAGE,
                             (region->end - region->start) / REMUS_PAGE);
            }
        }
        if (ask.walk_end <= ask.start) {
            return -EIO;
        }
        ask.start = ask.walk_end; /* short of the end when there was much to report */
    }
    return 0;
}

/* A scan that changes nothing, into own->looked. */
static struct pm_scan_arg a_look(const struct write_protect *own, const struct ram_part *part) {
    return (struct pm_scan_arg){
        .size = sizeof(struct pm_scan_arg),
        .flags = PM_SCAN_CHECK_WPASYNC,
        .start = part->address,
        .end = part->address + part->pages * REMUS_PAGE,
        .vec = (uintptr_t)own->looked,
        .vec_len = LOOKED,
        .category_mask = PAGE_IS_WRITTEN,
        .return_mask = PAGE_IS_WRITTEN,
    };
}

/* Walks on. Returns the number of regions looked at. */
static long look_on(const struct write_protect *own, struct pm_scan_arg *ask) {
    long count = ioctl(own->pagemap, PAGEMAP_SCAN, ask);
    if (count < 0) {
        return -errno;
    }
    if (ask->walk_end <= ask->start) {
        return -EIO;
    }
    ask->start = ask->walk_end;
    return count;
}

static int64_t look_write_protect(struct remus_tracker *tracker, int64_t most) {
    struct write_protect *own = tracker->own;
    int64_t written = 0;
    for (int i = 0; i < tracker->ram.count; i++) {
        struct pm_scan_arg ask = a_look(own, &tracker->ram.parts[i]);
        while (ask.start < ask.end && written < most) {
            ask.max_pages = most - written;
            long count = look_on(own, &ask);
            if (count < 0) {
                return count;
            }
            for (long j = 0; j < count; j++) {
                written += (own->looked[j].end - own->looked[j].start) / REMUS_PAGE;
            }
        }
    }
    return written;
}

/*
 * KVM drops the mappings of all that a protecting scan walks, and the guest faults its working set
 * in again. So a first look protects nothing, and only spans with written pages in them are walked
 * to protect. What is written between the two is found here or next time.
 */
static int look_and_take(struct remus_tracker *tracker, const struct ram_part *part) {
    struct write_protect *own = tracker->own;
    struct pm_scan_arg ask = a_look(own, part);
    uint64_t start = 0, end = 0; /* the span so far */
    int error = 0;
    while (error == 0 && ask.start < ask.end) {
        long count = look_on(own, &ask);
        if (count < 0) {
            return (int)count;
        }
        for (long i = 0; error == 0 && i < count; i++) {
            const struct page_region *region = &own->looked[i];
            if (start < end && region->start - end > SPAN_GAP) {
                error = take_written(tracker, part, start, end, false);
                start = end;
            }
            start = start < end ? start : region->start;
            end = region->end;
        }
    }
    return error == 0 && start < end ? take_written(tracker, part, start, end, false) : error;
}

/*
 * Of anonymous memory the kernel forgets with a discarded page that it was protected, so that it
 * counts as written. Of a file it keeps that in mind: there, pages are missed that are gone from
 * the page table. One that was read again since is there, with zeros, and escapes: nobody reads
 * what he has given back.
 */
static int miss_discarded(struct remus_tracker *tracker, const struct ram_part *part) {
    struct write_protect *own = tracker->own;
    struct pm_scan_arg ask = {
        .size = sizeof ask,
        .start = part->address,
        .end = part->address + part->pages * REMUS_PAGE,
        .vec = (uintptr_t)own->regions,
        .vec_len = REGIONS,
        .category_mask = PAGE_IS_PRESENT,
        .return_mask = PAGE_IS_PRESENT,
    };
    int64_t looked = part->first;
    while (ask.start < ask.end) {
        long count = ioctl(own->pagemap, PAGEMAP_SCAN, &ask);
        if (count < 0) {
            return -errno;
        }
        if (ask.walk_end <= ask.start) {
            return -EIO;
        }
        for (long i = 0; i < count; i++) {
            const struct page_region *region = &own->regions[i];
            int64_t page = part->first + (region->start - part->address) / REMUS_PAGE;
            int64_t pages = (region->end - region->start) / REMUS_PAGE;
            tracker_gone(tracker, looked, page - looked);
            tracker_there(tracker, page, pages);
            looked = page + pages;
        }
        ask.start = ask.walk_end;
    }
    tracker_gone(tracker, looked, part->first + part->pages - looked);
    return 0;
}

static int scan_part(struct remus_tracker *tracker, const struct ram_part *part) {
    const struct write_protect *own = tracker->own;
    int error = own->kvm && own->scanned
                    ? look_and_take(tracker, part)
                    : take_written(tracker, part, part->address,
                                   part->address + part->pages * REMUS_PAGE, !own->scanned);
    return error == 0 && part->file ? miss_discarded(tracker, part) : error;
}

static int scan_write_protect(struct remus_tracker *tracker) {
    struct write_protect *own = tracker->own;
    for (int i = 0; i < tracker->ram.count; i++) {
        int error = scan_part(tracker, &tracker->ram.parts[i]);
        if (error < 0) {
            return error;
        }
    }
    own->scanned = true;
    return 0;
}

static int open_write_protect(struct remus_tracker *tracker) {
    struct write_protect *own = malloc(sizeof *own);
    if (own == NULL) {
        return -ENOMEM;
    }
    memset(own, 0, sizeof *own); /* no page fault inside a pause */
    own->remote_fd = own->uffd = -1;
    tracker->own = own;
    own->kvm = find_fd(&tracker->ram, is_kvm) >= 0;
    own->pagemap = ram_proc(&tracker->ram, "pagemap", O_RDONLY);
    return own->pagemap < 0 ? own->pagemap : infect(tracker);
}

static void close_write_protect(struct remus_tracker *tracker) {
    struct write_protect *own = tracker->own;
    if (own == NULL) {
        return;
    }
    cure(tracker);
    if (own->pagemap >= 0) {
        close(own->pagemap);
    }
    free(own);
}

const struct tracker_kind tracker_write_protect = {
    .open = open_write_protect,
    .scan = scan_write_protect,
    .look = look_write_protect,
    .close = close_write_protect,
};
