/*
 * One system call, made by another process: what CRIU calls infect and cure, without a blob of
 * code.
 *
 * A thread of our own does the tracing. Whatever goes wrong, it ends, and the kernel detaches all
 * that a dying tracer holds: there is no path on which the target stays stopped.
 */
#include "internal.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#ifndef __x86_64__

long inject(int pid, long number, long argument) {
    (void)pid, (void)number, (void)argument;
    return -ENOTSUP;
}

#else

#define PATIENCE_NS 5000000000ll /* a thread in an uninterruptible sleep does not stop */
#define USER_CS_64 0x33          /* the code segment of 64-bit programs */
#define KERNEL_SIGSET_BYTES 8

/* Finds a `syscall` instruction in the code that the kernel maps into every process. */
static int find_syscall(int pid, uint64_t *address) {
    char path[32], line[512];
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *maps = fopen(path, "re");
    if (maps == NULL) {
        return -errno;
    }
    uint64_t from = 0, to = 0;
    bool found = false;
    while (!found && fgets(line, sizeof line, maps) != NULL) {
        found =
            strstr(line, "[vdso]") != NULL && sscanf(line, "%" SCNx64 "-%" SCNx64, &from, &to) == 2;
    }
    fclose(maps);
    uint8_t code[4 * REMUS_PAGE];
    size_t bytes = to - from < sizeof code ? to - from : sizeof code;
    struct iovec local = {code, bytes}, remote = {(void *)from, bytes};
    if (!found || process_vm_readv(pid, &local, 1, &remote, 1, 0) != (ssize_t)bytes) {
        return -ENOTSUP;
    }
    const uint8_t *at = memmem(code, bytes, "\x0f\x05", 2);
    if (at == NULL) {
        return -ENOTSUP;
    }
    *address = from + (at - code);
    return 0;
}

/* waitpid with an end. Returns the status of a stopped thread, or a negative errno. That a process
 * has ended is only looked at: it is its parent's to hear, which the tracer's process may be. */
static int wait_stop(int pid) {
    const struct timespec moment = {.tv_nsec = 50000};
    for (int64_t end = now_ns() + PATIENCE_NS; now_ns() < end;) {
        siginfo_t stopped = {0}, ended = {0};
        if (waitid(P_PID, pid, &stopped, WSTOPPED | WNOHANG | __WALL) < 0 ||
            waitid(P_PID, pid, &ended, WEXITED | WNOWAIT | WNOHANG | __WALL) < 0) {
            return -errno;
        }
        if (stopped.si_pid == pid) {
            return stopped.si_status << 8 | 0x7f;
        }
        if (ended.si_pid == pid && ended.si_code != CLD_TRAPPED) { /* a stop is always told of */
            return -ESRCH;
        }
        nanosleep(&moment, NULL);
    }
    return -ETIMEDOUT;
}

/*
 * Stops the thread where the kernel handles its signals: there, and only there, an interrupted
 * system call is not yet undone or restarted. Signals that come in the way are handed on.
 */
static int stop(int pid, bool running) {
    if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0 ||
        (!running && ptrace(PTRACE_CONT, pid, 0, 0) < 0)) {
        return -errno;
    }
    for (;;) {
        int status = wait_stop(pid);
        if (status < 0 || status >> 16 == PTRACE_EVENT_STOP) {
            return status < 0 ? status : 0;
        }
        bool trace = WSTOPSIG(status) == (SIGTRAP | 0x80); /* a stop at a system call: no signal */
        if (ptrace(PTRACE_CONT, pid, 0, trace ? 0 : WSTOPSIG(status)) < 0) {
            return -errno;
        }
    }
}

/* From a stop to the entry or the exit of a system call. Signals are blocked; only a group stop,
 * which a stopped process reports once more, can come between. */
static int to_syscall_stop(int pid) {
    int status;
    do {
        if (ptrace(PTRACE_SYSCALL, pid, 0, 0) < 0) {
            return -errno;
        }
        status = wait_stop(pid);
    } while (status >= 0 && status >> 16 == PTRACE_EVENT_STOP);
    return status < 0 ? status : WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : -EPROTO;
}

static long run(int pid, uint64_t instruction, long number, long argument) {
    struct user_regs_struct saved, registers;
    uint64_t mask, all = ~0ull;
    if (ptrace(PTRACE_GETREGS, pid, 0, &saved) < 0 ||
        ptrace(PTRACE_GETSIGMASK, pid, KERNEL_SIGSET_BYTES, &mask) < 0) {
        return -errno;
    }
    if (saved.cs != USER_CS_64) {
        return -ENOTSUP;
    }
    registers = saved;
    registers.rip = instruction;
    registers.rax = number;
    registers.rdi = argument;
    registers.rsi = registers.rdx = registers.r10 = registers.r8 = registers.r9 = 0;
    registers.orig_rax = -1; /* not in a system call: the interrupted one must not restart here */
    long result = -EIO;
    int error = 0;
    if (ptrace(PTRACE_SETSIGMASK, pid, KERNEL_SIGSET_BYTES, &all) < 0 ||
        ptrace(PTRACE_SETREGS, pid, 0, &registers) < 0) {
        error = -errno;
    }
    if (error == 0) {
        error = to_syscall_stop(pid);
    }
    if (error == 0) {
        error = to_syscall_stop(pid);
    }
    if (error == 0 && ptrace(PTRACE_GETREGS, pid, 0, &registers) == 0) {
        result = registers.rax;
    }
    /* Back to the kind of stop it was found in, so that the kernel restarts the interrupted call.
     */
    if (error == 0) {
        error = stop(pid, false);
    }
    ptrace(PTRACE_SETREGS, pid, 0, &saved);
    ptrace(PTRACE_SETSIGMASK, pid, KERNEL_SIGSET_BYTES, &mask);
    return error < 0 ? error : result;
}

struct call {
    int pid;
    long number;
    long argument;
    long result;
};

static void *trace(void *context) {
    struct call *call = context;
    uint64_t instruction;
    call->result = find_syscall(call->pid, &instruction);
    if (call->result < 0) {
        return NULL;
    }
    if (ptrace(PTRACE_SEIZE, call->pid, 0, PTRACE_O_TRACESYSGOOD) < 0) {
        call->result = -errno;
        return NULL;
    }
    call->result = stop(call->pid, true);
    if (call->result == 0) {
        call->result = run(call->pid, instruction, call->number, call->argument);
    }
    ptrace(PTRACE_DETACH, call->pid, 0, 0);
    return NULL;
}

/*
 * Each step fails in its own way on a process that ends meanwhile: EPERM, EIO, no vdso. Such a
 * process has no memory any more, also before it is a zombie.
 */
static bool has_ended(int pid) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return true;
    }
    uint64_t pages;
    bool alive = fscanf(file, "%" SCNu64, &pages) == 1 && pages > 0;
    fclose(file);
    return !alive;
}

long inject(int pid, long number, long argument) {
    struct call call = {pid, number, argument, -EIO};
    pthread_t tracer;
    int error = pthread_create(&tracer, NULL, trace, &call);
    if (error != 0) {
        return -error;
    }
    pthread_join(tracer, NULL);
    return call.result < 0 && has_ended(pid) ? -ESRCH : call.result;
}

#endif
