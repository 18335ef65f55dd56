#include "test.h"

#include <sys/mman.h>

#define LIMIT_SECONDS 60

static char *reason; /* shared with the test's process */

void skip(const char *why) {
    snprintf(reason, 256, "%s", why);
    exit(SKIPPED);
}

void need_write_protect(void) {
    if ((remus_probe() & REMUS_WRITE_PROTECT) == 0) {
        skip("this kernel has no PAGEMAP_SCAN");
    }
}

static int run(const struct test *test) {
    reason[0] = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(LIMIT_SECONDS);
        test->run();
        exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
}

int main(int count, char **names) {
    const struct test *const suites[] = {records_tests, tracker_tests, inject_tests,
                                         gate_tests,    queue_tests,   sparse_tests,
                                         tap_tests,     hashes_tests,  states_tests};
    int passed = 0, failed = 0, skipped = 0;
    char why[4096] = "";
    reason = mmap(NULL, 256, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        for (const struct test *test = suites[i]; test->name != NULL; test++) {
            if (count > 1 && strstr(test->name, names[1]) == NULL) {
                continue;
            }
            int result = run(test);
            printf("%-8s%s\n",
                   result == 0         ? "ok"
                   : result == SKIPPED ? "skipped"
                                       : "FAILED",
                   test->name);
            passed += result == 0;
            skipped += result == SKIPPED;
            failed += result != 0 && result != SKIPPED;
            if (result == SKIPPED && strstr(why, reason) == NULL) {
                size_t used = strlen(why);
                snprintf(why + used, sizeof why - used, "%s%s", used > 0 ? "; " : "", reason);
            }
        }
    }
    printf("%d passed, %d skipped%s%s%s", passed, skipped, skipped ? " (" : "", why,
           skipped ? ")" : "");
    printf(failed > 0 ? ", %d FAILED\n" : "\n", failed);
    return failed > 0;
}
