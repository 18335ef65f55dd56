/* A system call made in another process must not be noticed there. */
#include "test.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

/* Runs body in a child while the parent injects getppid into it, until it ends. Returns its exit
 * code. */
static int while_injected(int (*body)(int pipe)) {
    int ends[2];
    signal(SIGPIPE, SIG_IGN); /* the child may have ended when it is told to */
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[1]);
        _exit(body(ends[0]));
    }
    close(ends[0]);
    int64_t end = now_ns() + 400 * 1000000ll;
    for (int i = 0; now_ns() < end; i++) {
        long result = inject(child, SYS_getppid, 0);
        CHECK_EQUAL(result == -ESRCH ? -ESRCH : getpid(), result);
        usleep(2000);
    }
    CHECK(write(ends[1], "x", 1) == 1 || errno == EPIPE);
    int status;
    CHECK_EQUAL(child, waitpid(child, &status, 0));
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Returns the exit code of a child that ends by itself while the parent injects into it. */
static int ends_while_injected(int round) {
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (int64_t end = now_ns() + round * 100000ll; now_ns() < end;) {
        }
        _exit(7);
    }
    long result;
    do {
        result = inject(child, SYS_getppid, 0);
        CHECK_EQUAL(result == -ESRCH ? -ESRCH : getpid(), result);
    } while (result != -ESRCH);
    int status;
    CHECK_EQUAL(child, waitpid(child, &status, 0));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int sleep_once(int pipe) {
    (void)pipe;
    struct timespec wanted = {.tv_nsec = 250 * 1000000};
    int64_t begin = now_ns();
    if (nanosleep(&wanted, NULL) < 0) {
        return 1;
    }
    int64_t slept = now_ns() - begin;
    return slept < 250 * 1000000ll ? 2 : 0;
}

static int read_once(int pipe) {
    char byte = 0;
    return read(pipe, &byte, 1) == 1 && byte == 'x' ? 0 : 1;
}

static int poll_once(int pipe) {
    struct pollfd wait = {.fd = pipe, .events = POLLIN};
    struct timespec limit = {.tv_sec = 60};
    sigset_t none;
    sigemptyset(&none);
    return ppoll(&wait, 1, &limit, &none) == 1 ? 0 : 1;
}

static int compute(int pipe) {
    (void)pipe;
    /* Registers of every kind in use, and no system call at all. */
    double real = 1;
    uint64_t whole = 1, check = 1;
    for (int64_t end = now_ns() + 250 * 1000000ll; now_ns() < end;) {
        real = 1;
        whole = check = 1;
        for (int i = 0; i < 2000; i++) {
            real = real * 1.000001 + 0.5;
            whole = whole * 6364136223846793005ull + i;
        }
        for (int i = 0; i < 2000; i++) {
            check = check * 6364136223846793005ull + i;
        }
        if (whole != check || real < 1000 || real > 1100) {
            return 1;
        }
    }
    return 0;
}

static volatile sig_atomic_t ticks;

static void tick(int signal) {
    (void)signal;
    ticks++;
}

static int take_signals(int pipe) {
    struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    pid_t self = getpid();
    const int wanted = 500;
    pid_t sender = fork();
    if (sender == 0) {
        for (int i = 0; i < wanted; i++) {
            kill(self, SIGUSR1);
            usleep(300);
        }
        _exit(0);
    }
    int status, result = read_once(pipe);
    waitpid(sender, &status, 0);
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    /* Equal signals may merge while one is pending, but few do at this rate. */
    return result != 0                            ? 1
           : ticks < wanted / 2 || ticks > wanted ? 2
           : sigismember(&mask, SIGUSR1)          ? 3
                                                  : 0;
}

static void should_not_disturb_a_sleep(void) {
    CHECK_EQUAL(0, while_injected(sleep_once));
}

static void should_not_disturb_a_read(void) {
    CHECK_EQUAL(0, while_injected(read_once));
}

static void should_not_disturb_a_poll(void) {
    CHECK_EQUAL(0, while_injected(poll_once));
}

static void should_not_disturb_a_computation(void) {
    CHECK_EQUAL(0, while_injected(compute));
}

static void should_leave_a_process_end_to_its_parent(void) {
    for (int round = 0; round < 100; round++) {
        CHECK_EQUAL(7, ends_while_injected(round));
    }
}

static void should_not_lose_signals(void) {
    CHECK_EQUAL(0, while_injected(take_signals));
}

static void should_inject_into_a_stopped_process_and_leave_it_stopped(void) {
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            pause();
        }
    }
    int status;
    kill(child, SIGSTOP);
    CHECK_EQUAL(child, waitpid(child, &status, WUNTRACED));
    CHECK_EQUAL(getpid(), inject(child, SYS_getppid, 0));
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/%d/stat", child);
    char state = 0;
    for (int64_t end = now_ns() + 10000000000ll; state != 'T' && now_ns() < end;) {
        FILE *file = fopen(path, "r");
        CHECK(fgets(text, sizeof text, file) != NULL);
        fclose(file);
        state = strrchr(text, ')')[2];
    }
    CHECK_EQUAL('T', state);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
}

static void should_say_when_the_process_is_gone(void) {
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    CHECK_EQUAL(-ESRCH, inject(child, SYS_getppid, 0));
}

const struct test inject_tests[] = {
    TEST(should_not_disturb_a_sleep),
    TEST(should_not_disturb_a_read),
    TEST(should_not_disturb_a_poll),
    TEST(should_not_disturb_a_computation),
    TEST(should_leave_a_process_end_to_its_parent),
    TEST(should_not_lose_signals),
    TEST(should_inject_into_a_stopped_process_and_leave_it_stopped),
    TEST(should_say_when_the_process_is_gone),
    {0},
};
