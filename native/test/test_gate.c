/* A fake QEMU opens the FIFO and writes a device state, or fails to. */
#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PAGES 300
#define STATE_BYTES 20000

struct scene {
    char directory[32];
    char path[48];
    struct victim victim;
    struct remus_gate *gate;
    struct remus_tracker *tracker;
    struct remus_arena *arena;
    int64_t writes;
    uint8_t state[64 * 1024];
    int64_t result[REMUS_PAUSE_RESULTS];
};

static struct scene *set_with(int kind, int64_t arena_pages) {
    struct scene *scene = calloc(1, sizeof *scene);
    strcpy(scene->directory, "/tmp/remus-gate-XXXXXX");
    CHECK(mkdtemp(scene->directory) != NULL);
    snprintf(scene->path, sizeof scene->path, "%s/gate", scene->directory);
    victim_start(&scene->victim, VICTIM_ANONYMOUS, PAGES, 0);
    CHECK_EQUAL(0, remus_gate_open(scene->path, getuid(), getgid(), &scene->gate));
    CHECK_EQUAL(
        0, remus_tracker_open(scene->victim.pid, kind, scene->victim.blocks, 2, &scene->tracker));
    CHECK_EQUAL(0, remus_arena_create(arena_pages * REMUS_PAGE, &scene->arena));
    return scene;
}

static struct scene *set(int64_t arena_pages) {
    return set_with(REMUS_SHADOW, arena_pages);
}

static void strike(struct scene *scene) {
    remus_gate_close(scene->gate);
    CHECK(access(scene->path, F_OK) < 0);
    remus_tracker_close(scene->tracker);
    remus_arena_destroy(scene->arena);
    victim_stop(&scene->victim);
    rmdir(scene->directory);
    free(scene);
}

/* Opens the path as QEMU does and writes; exits with 0 when all went in, 1 when the write failed.
 */
static pid_t fake_qemu(struct scene *scene, const char *magic, int bytes, bool die) {
    pid_t child = fork();
    if (child == 0) {
        signal(SIGPIPE, SIG_IGN);
        char *state = calloc(1, bytes + 8);
        memcpy(state, magic, strlen(magic));
        int fd = open(scene->path, O_WRONLY | O_CREAT | O_TRUNC, 0660);
        if (fd < 0) {
            _exit(2);
        }
        for (int done = 0; done < bytes;) {
            int piece = die && done >= bytes / 2 ? 0 : bytes - done < 4096 ? bytes - done : 4096;
            if (piece == 0) {
                _exit(3);
            }
            ssize_t put = write(fd, state + done, piece);
            if (put < 0) {
                _exit(1);
            }
            done += put;
        }
        _exit(0);
    }
    return child;
}

static int end_of(pid_t child) {
    int status;
    CHECK_EQUAL(child, waitpid(child, &status, 0));
    return WEXITSTATUS(status);
}

static int begun_pause(struct scene *scene, int timeout_ms) {
    return remus_pause(scene->gate, scene->tracker, scene->arena, NULL, &scene->writes,
                       scene->state, sizeof scene->state, timeout_ms, scene->result);
}

static int pause_with(struct scene *scene, int timeout_ms) {
    CHECK_EQUAL(0, remus_pause_begin(scene->tracker, scene->arena, 1, INT64_MAX));
    return begun_pause(scene, timeout_ms);
}

/* Goes on with a pause that was begun, to its good end. */
static void capture(struct scene *scene, int64_t pages) {
    pid_t qemu = fake_qemu(scene, "QEVM", STATE_BYTES, false);
    CHECK_EQUAL(0, begun_pause(scene, 10000));
    CHECK_EQUAL(0, end_of(qemu));
    CHECK_EQUAL(pages, scene->result[REMUS_PAUSE_PAGES]);
}

static void should_capture_pages_and_state_and_let_the_guest_go(void) {
    struct scene *scene = set(PAGES);
    for (int epoch = 0; epoch < 20; epoch++) {
        victim_fill(&scene->victim, 7, 3, 1 + epoch);
        scene->writes = 100 + epoch;
        pid_t qemu = fake_qemu(scene, "QEVM", STATE_BYTES, false);
        if (epoch % 2) { /* the command may be well on its way before the pause begins */
            struct stat info;
            CHECK(stat(scene->path, &info) == 0 && S_ISFIFO(info.st_mode));
            usleep(20000);
        }
        CHECK_EQUAL(0, pause_with(scene, 10000));
        CHECK_EQUAL(0, end_of(qemu));
        CHECK_EQUAL(3, scene->result[REMUS_PAUSE_PAGES]);
        CHECK_EQUAL(0, scene->result[REMUS_PAUSE_PENDING]);
        CHECK_EQUAL(STATE_BYTES, scene->result[REMUS_PAUSE_STATE_BYTES]);
        CHECK_EQUAL(-1, scene->result[REMUS_PAUSE_MARKER]);
        CHECK_EQUAL(100 + epoch, scene->result[REMUS_PAUSE_WRITES]);
        CHECK(scene->result[REMUS_PAUSE_STOPPED_AT] > 0);
        CHECK(scene->result[REMUS_PAUSE_RESUMED_AT] >= scene->result[REMUS_PAUSE_STOPPED_AT]);
        CHECK_EQUAL(1 + epoch, scene->arena->data[0]);
    }
    strike(scene);
}

static void should_hold_the_guest_while_the_arena_is_too_small(void) {
    struct scene *scene = set(10);
    victim_fill(&scene->victim, 7, 25, 1);
    pid_t qemu = fake_qemu(scene, "QEVM", STATE_BYTES, false);
    CHECK_EQUAL(1, pause_with(scene, 10000));
    CHECK_EQUAL(10, scene->result[REMUS_PAUSE_PAGES]);
    CHECK_EQUAL(15, scene->result[REMUS_PAUSE_PENDING]);
    CHECK_EQUAL(0, waitpid(qemu, NULL, WNOHANG));
    CHECK_EQUAL(1, remus_pause_more(scene->gate, scene->tracker, scene->arena, scene->state,
                                    sizeof scene->state, scene->result));
    CHECK_EQUAL(0, remus_pause_more(scene->gate, scene->tracker, scene->arena, scene->state,
                                    sizeof scene->state, scene->result));
    CHECK_EQUAL(0, end_of(qemu));
    CHECK_EQUAL(5, scene->result[REMUS_PAUSE_PAGES]);
    CHECK_EQUAL(STATE_BYTES, scene->result[REMUS_PAUSE_STATE_BYTES]);
    strike(scene);
}

static void should_give_all_pages_back_on_abort(void) {
    struct scene *scene = set(10);
    victim_fill(&scene->victim, 7, 25, 1);
    pid_t qemu = fake_qemu(scene, "QEVM", STATE_BYTES, false);
    CHECK_EQUAL(1, pause_with(scene, 10000));
    CHECK_EQUAL(1, remus_pause_more(scene->gate, scene->tracker, scene->arena, scene->state,
                                    sizeof scene->state, scene->result));
    CHECK_EQUAL(0, remus_pause_abort(scene->gate, scene->tracker, scene->arena));
    CHECK_EQUAL(0, end_of(qemu));
    CHECK_EQUAL(25, scene->tracker->pending_pages);
    CHECK_EQUAL(0, scene->arena->pages);
    strike(scene);
}

/* After each failure the pages are pending, and the next epoch succeeds. */
static void fail_then_succeed(struct scene *scene, int expected) {
    CHECK_EQUAL(expected, pause_with(scene, 10000));
    CHECK_EQUAL(4, scene->tracker->pending_pages);
    CHECK_EQUAL(0, scene->arena->pages);
    CHECK_EQUAL(0, remus_pause_begin(scene->tracker, scene->arena, 1, INT64_MAX));
    capture(scene, 4);
    strike(scene);
}

static void should_refuse_what_is_no_device_state(void) {
    struct scene *scene = set(PAGES);
    victim_fill(&scene->victim, 7, 4, 1);
    pid_t qemu = fake_qemu(scene, "LQVM", STATE_BYTES, false);
    fail_then_succeed(scene, -EPROTO);
    CHECK_EQUAL(0, end_of(qemu));
}

static void should_refuse_a_writer_that_wrote_nothing(void) {
    struct scene *scene = set(PAGES);
    victim_fill(&scene->victim, 7, 4, 1);
    pid_t qemu = fake_qemu(scene, "", 0, false);
    CHECK_EQUAL(0, end_of(qemu)); /* gone before the pause began */
    fail_then_succeed(scene, -EPROTO);
}

static void should_refuse_a_state_that_is_too_large(void) {
    struct scene *scene = set(PAGES);
    victim_fill(&scene->victim, 7, 4, 1);
    pid_t qemu = fake_qemu(scene, "QEVM", sizeof scene->state + 1, false);
    fail_then_succeed(scene, -ENOBUFS);
    CHECK_EQUAL(0, end_of(qemu));
}

static void should_see_the_end_when_the_writer_dies(void) {
    struct scene *scene = set(PAGES);
    pid_t qemu = fake_qemu(scene, "QEVM", STATE_BYTES, true);
    CHECK_EQUAL(0, pause_with(scene, 10000)); /* that the command failed, the monitor says */
    CHECK_EQUAL(3, end_of(qemu));
    CHECK(scene->result[REMUS_PAUSE_STATE_BYTES] < STATE_BYTES);
    strike(scene);
}

static void should_not_wait_for_ever_for_a_silent_writer(void) {
    struct scene *scene = set(PAGES);
    victim_fill(&scene->victim, 7, 4, 1);
    pid_t silent = fork();
    if (silent == 0) {
        int fd = open(scene->path, O_WRONLY);
        pause();
        _exit(fd);
    }
    fail_then_succeed(scene, -ETIMEDOUT);
    kill(silent, SIGKILL);
    waitpid(silent, NULL, 0);
}

static void should_let_a_late_command_pass_without_a_gate(void) {
    struct scene *scene = set(PAGES);
    CHECK_EQUAL(-ETIMEDOUT, pause_with(scene, 20));
    pid_t qemu = fake_qemu(scene, "QEVM", STATE_BYTES, false);
    CHECK_EQUAL(0, end_of(qemu)); /* it wrote a plain file */
    CHECK_EQUAL(-EBADF, pause_with(scene, 20));
    remus_gate_close(scene->gate);
    CHECK_EQUAL(0, remus_gate_open(scene->path, getuid(), getgid(), &scene->gate));
    qemu = fake_qemu(scene, "QEVM", STATE_BYTES, false);
    CHECK_EQUAL(0, pause_with(scene, 10000));
    CHECK_EQUAL(0, end_of(qemu));
    strike(scene);
}

static void should_restart_the_guest_when_the_agent_dies_in_the_pause(void) {
    struct scene *scene = set(10);
    victim_fill(&scene->victim, 7, 25, 1);
    int ready[2];
    CHECK(pipe(ready) == 0);
    remus_gate_close(scene->gate);
    pid_t agent = fork();
    if (agent == 0) {
        CHECK_EQUAL(0, remus_gate_open(scene->path, getuid(), getgid(), &scene->gate));
        CHECK(write(ready[1], "x", 1) == 1);
        CHECK_EQUAL(1, pause_with(scene, 10000));
        _exit(0);
    }
    char byte;
    CHECK(read(ready[0], &byte, 1) == 1);
    pid_t qemu = fake_qemu(scene, "QEVM", STATE_BYTES, false);
    CHECK_EQUAL(0, end_of(agent));
    CHECK_EQUAL(1, end_of(qemu)); /* EPIPE */
    CHECK_EQUAL(0, remus_gate_open(scene->path, getuid(), getgid(), &scene->gate));
    strike(scene);
}

static void should_hold_for_the_wanted_time(void) {
    struct scene *scene = set(PAGES);
    victim_fill(&scene->victim, 7, 4, 1);
    pid_t qemu = fake_qemu(scene, "QEVM", STATE_BYTES, false);
    int64_t begin = now_ns();
    CHECK_EQUAL(0, remus_pause_hold(scene->gate, scene->tracker, 1, 30000000, 10000));
    CHECK(now_ns() - begin >= 30000000);
    CHECK_EQUAL(0, end_of(qemu));
    CHECK_EQUAL(4, scene->tracker->pending_pages);
    strike(scene);
}

/* When 25 pages were copied ahead the guest writes two of them again, and stops. */
static void *write_again_and_stop(void *context) {
    struct scene *scene = context;
    while (__atomic_load_n(&scene->tracker->pending_pages, __ATOMIC_ACQUIRE) != 0 ||
           __atomic_load_n(&scene->arena->pages, __ATOMIC_ACQUIRE) != 25) {
        usleep(1000);
    }
    victim_fill(&scene->victim, 8, 2, 9);
    return (void *)(intptr_t)fake_qemu(scene, "QEVM", STATE_BYTES, false);
}

static struct scene *writer_of_25(int64_t arena_pages) {
    need_write_protect();
    struct scene *scene = set_with(REMUS_WRITE_PROTECT, arena_pages);
    CHECK(remus_tracker_scan(scene->tracker) >= 0);
    CHECK_EQUAL(0, remus_tracker_copy(scene->tracker, scene->arena));
    arena_empty(scene->arena);
    victim_fill(&scene->victim, 7, 25, 1);
    return scene;
}

/* The guest's thread returns the pid of its QEMU. */
static void pause_beside(struct scene *scene, void *(*guest)(void *scene)) {
    pthread_t thread;
    void *qemu;
    CHECK_EQUAL(0, pthread_create(&thread, NULL, guest, scene));
    CHECK_EQUAL(0, pause_with(scene, 30000));
    CHECK_EQUAL(0, pthread_join(thread, &qemu));
    CHECK_EQUAL(0, end_of((pid_t)(intptr_t)qemu));
}

static void should_copy_while_the_guest_runs_and_again_what_it_then_wrote(void) {
    struct scene *scene = writer_of_25(PAGES);
    pause_beside(scene, write_again_and_stop);
    CHECK_EQUAL(27, scene->result[REMUS_PAUSE_PAGES]);
    CHECK_EQUAL(7, scene->arena->runs[0].page);
    CHECK_EQUAL(25, scene->arena->runs[0].count);
    CHECK_EQUAL(8, scene->arena->runs[1].page);
    CHECK_EQUAL(2, scene->arena->runs[1].count);
    CHECK_EQUAL(1, scene->arena->data[REMUS_PAGE]);
    CHECK_EQUAL(9, scene->arena->data[25 * REMUS_PAGE]);
    CHECK_EQUAL(9, scene->arena->data[27 * REMUS_PAGE - 1]);
    strike(scene);
}

static void *stop_when_three_are_copied(void *context) {
    struct scene *scene = context;
    while (__atomic_load_n(&scene->tracker->pending_pages, __ATOMIC_ACQUIRE) != 22) {
        usleep(1000);
    }
    return (void *)(intptr_t)fake_qemu(scene, "QEVM", STATE_BYTES, false);
}

static void should_leave_room_for_all_once_more_on_the_commands_way(void) {
    struct scene *scene = writer_of_25(28);
    pause_beside(scene, stop_when_three_are_copied);
    CHECK_EQUAL(25, scene->result[REMUS_PAUSE_PAGES]);
    CHECK_EQUAL(3, scene->arena->runs[0].count);
    strike(scene);
}

static void should_leave_a_quarter_of_the_arena_to_the_pause(void) {
    struct scene *scene = writer_of_25(28);
    CHECK_EQUAL(21, remus_pause_begin(scene->tracker, scene->arena, 1, 1));
    CHECK_EQUAL(4, scene->tracker->pending_pages);
    strike(scene);
}

static void should_leave_very_few_pages_to_the_pause(void) {
    struct scene *scene = writer_of_25(PAGES);
    CHECK_EQUAL(0, remus_pause_begin(scene->tracker, scene->arena, 26, 26));
    CHECK_EQUAL(0, scene->tracker->pending_pages);
    capture(scene, 25);
    strike(scene);
}

static void should_leave_few_pages_to_the_commands_way(void) {
    struct scene *scene = writer_of_25(PAGES);
    CHECK_EQUAL(0, remus_pause_begin(scene->tracker, scene->arena, 1, 26));
    CHECK_EQUAL(25, scene->tracker->pending_pages);
    strike(scene);
}

static void should_give_back_what_was_copied_ahead(void) {
    struct scene *scene = writer_of_25(PAGES);
    CHECK_EQUAL(25, remus_pause_begin(scene->tracker, scene->arena, 1, 25));
    CHECK_EQUAL(0, scene->tracker->pending_pages);
    CHECK_EQUAL(-ETIMEDOUT, begun_pause(scene, 20));
    CHECK_EQUAL(25, scene->tracker->pending_pages);
    CHECK_EQUAL(0, scene->arena->pages);
    strike(scene);
}

static void should_copy_before_the_command_what_was_written_until_then(void) {
    struct scene *scene = writer_of_25(PAGES);
    CHECK_EQUAL(25, remus_pause_begin(scene->tracker, scene->arena, 1, 25));
    victim_fill(&scene->victim, 8, 2, 9);
    capture(scene, 27);
    CHECK_EQUAL(7, scene->arena->runs[0].page);
    CHECK_EQUAL(8, scene->arena->runs[1].page);
    CHECK_EQUAL(9, scene->arena->data[25 * REMUS_PAGE]);
    strike(scene);
}

static void should_forget_the_last_epoch_when_one_begins(void) {
    struct scene *scene = writer_of_25(PAGES);
    CHECK_EQUAL(25, remus_pause_begin(scene->tracker, scene->arena, 1, 25));
    CHECK_EQUAL(0, remus_pause_begin(scene->tracker, scene->arena, 1, 25));
    CHECK_EQUAL(0, scene->arena->pages);
    CHECK_EQUAL(-ETIMEDOUT, begun_pause(scene, 20));
    CHECK_EQUAL(0, scene->tracker->pending_pages);
    strike(scene);
}

const struct test gate_tests[] = {
    TEST(should_copy_while_the_guest_runs_and_again_what_it_then_wrote),
    TEST(should_leave_room_for_all_once_more_on_the_commands_way),
    TEST(should_leave_a_quarter_of_the_arena_to_the_pause),
    TEST(should_leave_very_few_pages_to_the_pause),
    TEST(should_leave_few_pages_to_the_commands_way),
    TEST(should_give_back_what_was_copied_ahead),
    TEST(should_copy_before_the_command_what_was_written_until_then),
    TEST(should_forget_the_last_epoch_when_one_begins),
    TEST(should_capture_pages_and_state_and_let_the_guest_go),
    TEST(should_hold_the_guest_while_the_arena_is_too_small),
    TEST(should_give_all_pages_back_on_abort),
    TEST(should_refuse_what_is_no_device_state),
    TEST(should_refuse_a_writer_that_wrote_nothing),
    TEST(should_refuse_a_state_that_is_too_large),
    TEST(should_see_the_end_when_the_writer_dies),
    TEST(should_not_wait_for_ever_for_a_silent_writer),
    TEST(should_let_a_late_command_pass_without_a_gate),
    TEST(should_restart_the_guest_when_the_agent_dies_in_the_pause),
    TEST(should_hold_for_the_wanted_time),
    {0},
};
