/* Disk images: making ranges zero without writing them, and finding what is not a hole. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALIGNMENT 4096 /* no block device has larger logical blocks */
#define ZEROES_BYTES (256 * 1024)

static const uint8_t zeroes[ZEROES_BYTES];

struct remus_sparse {
    int fd;
    bool device;
    int64_t bytes; /* of a device */
};

static int look(struct remus_sparse *sparse) {
    struct stat stat;
    if (fstat(sparse->fd, &stat) < 0) {
        return -errno;
    }
    sparse->device = S_ISBLK(stat.st_mode);
    if (!sparse->device) {
        return S_ISREG(stat.st_mode) ? 0 : -EINVAL;
    }
    uint64_t bytes;
    if (ioctl(sparse->fd, BLKGETSIZE64, &bytes) < 0) {
        return -errno;
    }
    sparse->bytes = bytes;
    return 0;
}

int remus_sparse_open(const char *path, int writable, struct remus_sparse **out) {
    struct stat stat;
    if (lstat(path, &stat) == 0 && S_ISFIFO(stat.st_mode)) {
        return -EINVAL; /* its open would wait */
    }
    struct remus_sparse *sparse = calloc(1, sizeof *sparse);
    if (sparse == NULL) {
        return -ENOMEM;
    }
    /* O_EXCL without O_CREAT: a block device that is mounted, swapped to or part of another is
     * refused. Regular files take no notice of it. */
    int flags = writable ? O_RDWR | O_EXCL : O_RDONLY;
    sparse->fd = open(path, flags | O_CLOEXEC);
    int error = sparse->fd < 0 ? -errno : look(sparse);
    if (error < 0) {
        remus_sparse_close(sparse);
        return error;
    }
    *out = sparse;
    return 0;
}

void remus_sparse_close(struct remus_sparse *sparse) {
    if (sparse->fd >= 0) {
        close(sparse->fd);
    }
    free(sparse);
}

static int write_zeroes(int fd, int64_t at, int64_t bytes) {
    while (bytes > 0) {
        ssize_t done = pwrite(fd, zeroes, bytes < ZEROES_BYTES ? bytes : ZEROES_BYTES, at);
        if (done < 0 && errno != EINTR) {
            return -errno;
        }
        if (done > 0) {
            at += done;
            bytes -= done;
        }
    }
    return 0;
}

/* Writes zeroes where data is: holes are zero already. */
static int write_over_data(struct remus_sparse *sparse, int64_t at, int64_t end) {
    while (at < end) {
        int64_t data = remus_sparse_data(sparse, at);
        if (data < 0 || data >= end) {
            return data < 0 ? (int)data : 0;
        }
        int64_t hole = sparse->device ? end : lseek(sparse->fd, data, SEEK_HOLE);
        hole = hole < 0 || hole > end ? end : hole;
        int error = write_zeroes(sparse->fd, data, hole - data);
        if (error < 0) {
            return error;
        }
        at = hole;
    }
    return 0;
}

static int zero_device(struct remus_sparse *sparse, int64_t at, int64_t end) {
    int64_t first = (at + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    int64_t last = end / ALIGNMENT * ALIGNMENT;
    if (first >= last) {
        return write_zeroes(sparse->fd, at, end - at);
    }
    uint64_t range[2] = {first, last - first};
    int error = write_zeroes(sparse->fd, at, first - at);
    if (error == 0 && ioctl(sparse->fd, BLKZEROOUT, range) < 0) {
        error = write_zeroes(sparse->fd, first, last - first);
    }
    return error < 0 ? error : write_zeroes(sparse->fd, last, end - last);
}

int remus_sparse_zero(struct remus_sparse *sparse, int64_t at, int64_t bytes) {
    if (at < 0 || bytes < 0 || at > INT64_MAX - bytes) {
        return -EINVAL;
    }
    if (bytes == 0 ||
        fallocate(sparse->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, bytes) == 0) {
        return 0;
    }
    if (errno == ENOSPC || errno == EIO || errno == EBADF) {
        return -errno;
    }
    return sparse->device ? zero_device(sparse, at, at + bytes)
                          : write_over_data(sparse, at, at + bytes);
}

int64_t remus_sparse_data(struct remus_sparse *sparse, int64_t from) {
    if (from < 0) {
        return -EINVAL;
    }
    if (sparse->device) {
        return from < sparse->bytes ? from : sparse->bytes;
    }
    struct stat stat;
    if (fstat(sparse->fd, &stat) < 0) {
        return -errno;
    }
    if (from >= stat.st_size) {
        return stat.st_size;
    }
    int64_t data = lseek(sparse->fd, from, SEEK_DATA);
    if (data >= 0) {
        return data;
    }
    /* ENXIO: only a hole follows. Else the file system does not know, and everything is data. */
    return errno == ENXIO ? stat.st_size : from;
}

int remus_sparse_share(const struct remus_sparse *from, const struct remus_sparse *to) {
    if (ioctl(to->fd, FICLONE, from->fd) == 0) {
        return 1;
    }
    bool elsewhere = errno == EOPNOTSUPP || errno == ENOTTY || errno == EXDEV || errno == EINVAL;
    return elsewhere ? 0 : -errno;
}

int64_t remus_sparse_allocated(const char *path) {
    struct remus_sparse *sparse;
    int error = remus_sparse_open(path, 0, &sparse);
    if (error < 0) {
        return error;
    }
    struct stat stat;
    int64_t result = sparse->device                  ? sparse->bytes
                     : fstat(sparse->fd, &stat) == 0 ? (int64_t)stat.st_blocks * 512
                                                     : -errno;
    remus_sparse_close(sparse);
    return result;
}
