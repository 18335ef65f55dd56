/* What this kernel can do: each feature is tried, in this process or in a namespace nobody else
 * sees. */
#include "internal.h"
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool try_write_protect(uint8_t *page) {
#ifdef __x86_64__
    int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
    int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    struct uffdio_api api = {.api = UFFD_API, .features = REMUS_UFFD_FEATURES};
    struct uffdio_register watch = {.range = {(uintptr_t)page, REMUS_PAGE},
                                    .mode = UFFDIO_REGISTER_MODE_WP};
    struct page_region region;
    struct pm_scan_arg scan = {
        .size = sizeof scan,
        .flags = PM_SCAN_WP_MATCHING | PM_SCAN_CHECK_WPASYNC,
        .start = (uintptr_t)page,
        .end = (uintptr_t)page + REMUS_PAGE,
        .vec = (uintptr_t)&region,
        .vec_len = 1,
        .category_mask = PAGE_IS_WRITTEN,
        .return_mask = PAGE_IS_WRITTEN,
    };
    bool works = uffd >= 0 && pagemap >= 0 && ioctl(uffd, UFFDIO_API, &api) == 0 &&
                 ioctl(uffd, UFFDIO_REGISTER, &watch) == 0 &&
                 ioctl(pagemap, PAGEMAP_SCAN, &scan) == 1;
    if (uffd >= 0) {
        close(uffd);
    }
    if (pagemap >= 0) {
        close(pagemap);
    }
    return works;
#else
    (void)page;
    return false; /* inject knows x86-64 only */
#endif
}

/* A page that was just written is soft-dirty, unless the kernel was built without. */
static bool try_soft_dirty(uint8_t *page) {
    uint64_t entry = 0;
    int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    bool works = pagemap >= 0 &&
                 pread(pagemap, &entry, sizeof entry,
                       (uintptr_t)page / REMUS_PAGE * sizeof entry) == sizeof entry &&
                 (entry & PAGEMAP_SOFT_DIRTY) != 0;
    if (pagemap >= 0) {
        close(pagemap);
    }
    return works;
}

/* Runs on a thread of its own, whose network namespace ends with it. */
static void *try_nft(void *features) {
    const int each[] = {REMUS_NFT_QUEUE, REMUS_NFT_TARGET};
    for (int i = 0; i < 2; i++) {
        if (unshare(CLONE_NEWNET) == 0 && plug_try(each[i]) == 0) {
            *(int64_t *)features |= each[i];
        }
    }
    return NULL;
}

int64_t remus_probe(void) {
    int64_t features = REMUS_SHADOW;
    uint8_t *page =
        mmap(NULL, REMUS_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        return -errno;
    }
    page[0] = 1;
    features |= try_write_protect(page) ? REMUS_WRITE_PROTECT : 0;
    /* With KSM soft-dirty bits tell too little (see softdirty.c): then comparing is better. */
    features |= try_soft_dirty(page) && !ksm_runs() ? REMUS_SOFT_DIRTY : 0;
    munmap(page, REMUS_PAGE);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, try_nft, &features);
    if (error != 0) {
        return -error;
    }
    pthread_join(thread, NULL);
    return features;
}

int remus_thread_nice(int nice) {
    return setpriority(PRIO_PROCESS, gettid(), nice) < 0 ? -errno : 0;
}
