#include "test.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define MIB (1024 * 1024ll)
#define SIZE (4 * MIB)

static char path[64];
static uint8_t model[SIZE], found[SIZE];

static void make_file(const char *directory, int64_t bytes) {
    snprintf(path, sizeof path, "%s/remus-sparse-XXXXXX", directory);
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK_EQUAL(0, ftruncate(fd, bytes));
    close(fd);
}

static void fill(const char *name) {
    for (int64_t i = 0; i < SIZE; i++) {
        model[i] = 1 + i % 251;
    }
    int fd = open(name, O_WRONLY);
    CHECK_EQUAL(SIZE, pwrite(fd, model, SIZE, 0));
    CHECK_EQUAL(0, fsync(fd));
    close(fd);
}

static void zero(struct remus_sparse *sparse, int64_t at, int64_t bytes) {
    CHECK_EQUAL(0, remus_sparse_zero(sparse, at, bytes));
    memset(model + at, 0, bytes);
}

static void expect_model(const char *name) {
    int fd = open(name, O_RDONLY);
    CHECK_EQUAL(SIZE, pread(fd, found, SIZE, 0));
    close(fd);
    CHECK(memcmp(model, found, SIZE) == 0);
}

static void zero_here_and_there(const char *name) {
    struct remus_sparse *sparse;
    fill(name);
    CHECK_EQUAL(0, remus_sparse_open(name, 1, &sparse));
    zero(sparse, 0, 1);
    zero(sparse, 4095, 2);
    zero(sparse, 8192, 4096);
    zero(sparse, 20001, 100);
    zero(sparse, MIB - 7, MIB + 9);
    zero(sparse, SIZE - 513, 513);
    zero(sparse, 77, 0);
    expect_model(name);
    CHECK_EQUAL(-EINVAL, remus_sparse_zero(sparse, -1, 1));
    CHECK_EQUAL(-EINVAL, remus_sparse_zero(sparse, INT64_MAX, 1));
    remus_sparse_close(sparse);
}

static void should_zero_exactly_the_range_of_a_file(void) {
    make_file("/tmp", SIZE);
    zero_here_and_there(path);
    struct stat stat_now;
    CHECK_EQUAL(0, stat(path, &stat_now));
    CHECK_EQUAL(SIZE, stat_now.st_size);
    unlink(path);
}

static void should_zero_exactly_the_range_where_no_hole_can_be_made(void) {
    char directory[] = "/tmp/remus-nohole-XXXXXX";
    CHECK(mkdtemp(directory) != NULL);
    /* ramfs has neither fallocate nor SEEK_DATA. Mounted in a namespace that ends with the test. */
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("remus-test", directory, "ramfs", 0, NULL) < 0) {
        rmdir(directory);
        skip("ramfs cannot be mounted");
    }
    make_file(directory, SIZE);
    zero_here_and_there(path);
    umount(directory);
    rmdir(directory);
}

static void should_give_a_zeroed_range_back_to_the_file_system(void) {
    struct remus_sparse *sparse;
    make_file("/tmp", SIZE);
    fill(path);
    int64_t before = remus_sparse_allocated(path);
    CHECK(before >= SIZE);
    CHECK_EQUAL(0, remus_sparse_open(path, 1, &sparse));
    CHECK_EQUAL(0, remus_sparse_zero(sparse, MIB, 2 * MIB));
    remus_sparse_close(sparse);
    CHECK(remus_sparse_allocated(path) <= before - 2 * MIB);
    unlink(path);
}

static void should_find_data_between_holes(void) {
    struct remus_sparse *sparse;
    make_file("/tmp", 3 * MIB);
    int fd = open(path, O_WRONLY);
    CHECK_EQUAL(1, pwrite(fd, "x", 1, MIB + 5));
    close(fd);
    CHECK_EQUAL(0, remus_sparse_open(path, 0, &sparse));
    int64_t data = remus_sparse_data(sparse, 0);
    CHECK(data > 0 && data <= MIB + 5);
    CHECK_EQUAL(3 * MIB, remus_sparse_data(sparse, 2 * MIB));
    CHECK_EQUAL(3 * MIB, remus_sparse_data(sparse, 9 * MIB));
    CHECK_EQUAL(-EINVAL, remus_sparse_data(sparse, -1));
    CHECK_EQUAL(-EBADF, remus_sparse_zero(sparse, 0, 1)); /* opened to read */
    remus_sparse_close(sparse);
    unlink(path);
}

static void should_zero_a_huge_sparse_file_at_once(void) {
    struct remus_sparse *sparse;
    const int64_t huge = 100 * 1024 * MIB, piece = INT32_MAX;
    make_file("/tmp", huge);
    CHECK_EQUAL(0, remus_sparse_open(path, 1, &sparse));
    int64_t before = now_ns();
    for (int64_t at = 0; at < huge; at += piece) {
        CHECK_EQUAL(0, remus_sparse_zero(sparse, at, huge - at < piece ? huge - at : piece));
    }
    CHECK(now_ns() - before < 10 * 1000000000ll); /* writing it takes minutes */
    remus_sparse_close(sparse);
    unlink(path);
}

static void should_refuse_what_is_no_image(void) {
    struct remus_sparse *sparse;
    CHECK_EQUAL(-ENOENT, remus_sparse_open("/tmp/remus-there-is-none", 1, &sparse));
    CHECK_EQUAL(-EISDIR, remus_sparse_open("/tmp", 1, &sparse));
    CHECK_EQUAL(-EINVAL, remus_sparse_open("/tmp", 0, &sparse));
    CHECK_EQUAL(-EINVAL, remus_sparse_open("/dev/null", 1, &sparse));
    CHECK_EQUAL(-ENOENT, remus_sparse_allocated("/tmp/remus-there-is-none"));
}

/* Returns the loop device's descriptor; its name is in device. */
static int loop(char *device, size_t bytes) {
    int control = open("/dev/loop-control", O_RDWR);
    int number = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);
    if (number < 0) {
        skip("no loop devices");
    }
    close(control);
    snprintf(device, bytes, "/dev/loop%d", number);
    int fd = open(device, O_RDWR), backing = open(path, O_RDWR);
    if (fd < 0 || ioctl(fd, LOOP_SET_FD, backing) < 0) {
        unlink(path);
        skip("no loop devices");
    }
    close(backing);
    struct loop_info64 info = {.lo_flags = LO_FLAGS_AUTOCLEAR};
    CHECK_EQUAL(0, ioctl(fd, LOOP_SET_STATUS64, &info));
    return fd;
}

static void should_zero_exactly_the_range_of_a_block_device(void) {
    char device[32];
    make_file("/tmp", SIZE);
    int fd = loop(device, sizeof device);
    unlink(path);
    zero_here_and_there(device);
    CHECK_EQUAL(SIZE, remus_sparse_allocated(device));
    close(fd);
}

static void should_take_a_block_device_exclusively(void) {
    char device[32];
    struct remus_sparse *one, *two;
    make_file("/tmp", SIZE);
    int fd = loop(device, sizeof device);
    unlink(path);
    CHECK_EQUAL(0, remus_sparse_open(device, 1, &one));
    CHECK_EQUAL(-EBUSY, remus_sparse_open(device, 1, &two));
    CHECK_EQUAL(0, remus_sparse_open(device, 0, &two));
    CHECK_EQUAL(123, remus_sparse_data(two, 123));
    CHECK_EQUAL(SIZE, remus_sparse_data(two, SIZE + 1));
    remus_sparse_close(two);
    remus_sparse_close(one);
    CHECK_EQUAL(0, remus_sparse_open(device, 1, &two));
    remus_sparse_close(two);
    close(fd);
}

static void should_copy_nothing_where_files_share_no_blocks(void) {
    struct remus_sparse *from, *to;
    char first[sizeof path];
    make_file("/dev/shm", SIZE);
    snprintf(first, sizeof first, "%s", path);
    fill(first);
    make_file("/tmp", SIZE);
    CHECK_EQUAL(0, remus_sparse_open(first, 0, &from));
    CHECK_EQUAL(0, remus_sparse_open(path, 1, &to));
    CHECK_EQUAL(0, remus_sparse_share(from, to));
    CHECK_EQUAL(SIZE, remus_sparse_data(to, 0));
    remus_sparse_close(from);
    remus_sparse_close(to);
    unlink(first);
    unlink(path);
}

static void should_share_a_file_and_keep_the_copy_when_it_changes(void) {
    struct remus_sparse *from, *to;
    char device[32], command[64], directory[] = "/tmp/remus-share-XXXXXX", copy[sizeof path];
    make_file("/tmp", 512 * MIB);
    int fd = loop(device, sizeof device);
    unlink(path);
    snprintf(command, sizeof command, "mkfs.xfs -q %s", device);
    CHECK(mkdtemp(directory) != NULL);
    if (system(command) != 0 || unshare(CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount(device, directory, "xfs", 0, NULL) < 0) {
        rmdir(directory);
        skip("no XFS can be made");
    }
    make_file(directory, SIZE);
    snprintf(copy, sizeof copy, "%s", path);
    make_file(directory, SIZE);
    fill(path);
    CHECK_EQUAL(0, remus_sparse_open(path, 1, &from));
    CHECK_EQUAL(0, remus_sparse_open(copy, 1, &to));
    CHECK_EQUAL(1, remus_sparse_share(from, to));
    CHECK_EQUAL(0, remus_sparse_zero(from, 5, MIB));
    remus_sparse_close(from);
    remus_sparse_close(to);
    expect_model(copy);
    umount(directory);
    rmdir(directory);
    close(fd);
}

const struct test sparse_tests[] = {
    TEST(should_zero_exactly_the_range_of_a_file),
    TEST(should_zero_exactly_the_range_where_no_hole_can_be_made),
    TEST(should_give_a_zeroed_range_back_to_the_file_system),
    TEST(should_find_data_between_holes),
    TEST(should_zero_a_huge_sparse_file_at_once),
    TEST(should_refuse_what_is_no_image),
    TEST(should_zero_exactly_the_range_of_a_block_device),
    TEST(should_take_a_block_device_exclusively),
    TEST(should_copy_nothing_where_files_share_no_blocks),
    TEST(should_share_a_file_and_keep_the_copy_when_it_changes),
    {0},
};
