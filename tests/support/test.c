#include "tests/support/test.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/bytes.h"
#include "core/base/os.h"

uint64_t test_seed(void)
{
    uint64_t seed;
    const char *text = getenv("SYSTOLE_TEST_SEED");
    if (!text || !sy_parse_u64(&seed, text, 0, UINT64_MAX)) sy_os_random(&seed, sizeof seed);
    printf("seed: SYSTOLE_TEST_SEED=%" PRIu64 " repeats this run\n", seed);
    fflush(stdout);
    return seed;
}

void test_folder(char *out, size_t out_size, const char *name)
{
    const char *scratch = getenv("SYSTOLE_SCRATCH");
    if (!scratch || strlen(scratch) > 120) scratch = "/tmp";
    int length = snprintf(out, out_size, "%s/%.40s.XXXXXX", scratch, name);
    assert_true(length > 0 && (size_t)length < out_size);
    assert_non_null(mkdtemp(out));
}

void test_sleep_ms(unsigned ms)
{
    struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000L};
    nanosleep(&pause, NULL);
}

int test_child(void (*action)(void *context), void *context)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit no_core = {0, 0};
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null < 0 || dup2(null, STDERR_FILENO) < 0 || setrlimit(RLIMIT_CORE, &no_core) != 0) {
            _exit(99);
        }
        action(context);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

void assert_aborts(void (*action)(void *context), void *context)
{
    int status = test_child(action, context);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}
