#include "bench/clocks.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/wire/roster.h"

struct clock {
    int fd;
    _Atomic int64_t *offset_ns;
};

struct sy_clocks {
    unsigned count;
    struct clock clocks[SY_VALIDATORS_MAX];
};

static sy_status open_clock(struct clock *clock, struct sy_error *err)
{
    clock->fd = memfd_create("clock", MFD_CLOEXEC);
    if (clock->fd < 0 || ftruncate(clock->fd, sizeof(int64_t)) != 0) {
        return sy_fail(err, sy_os_status(errno), "a clock cannot be made: %s", strerror(errno));
    }
    void *map = mmap(NULL, sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, clock->fd, 0);
    if (map == MAP_FAILED) {
        return sy_fail(err, sy_os_status(errno), "a clock cannot be made: %s", strerror(errno));
    }
    clock->offset_ns = (_Atomic int64_t *)map;
    return SY_OK;
}

sy_status sy_clocks_open(sy_clocks **out, unsigned count, const char *library, struct sy_error *err)
{
    SY_ASSERT(count <= SY_VALIDATORS_MAX);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return sy_fail(err, SY_ERR_ARGUMENT,
                   "a sanitizer's own library must come first in the programs of this build");
#endif
    if (access(library, R_OK) != 0) {
        return sy_fail(err, sy_os_status(errno), "%s: %s", library, strerror(errno));
    }
    sy_clocks *clocks = (sy_clocks *)calloc(1, sizeof *clocks);
    if (clocks == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "clocks: no memory");
    clocks->count = count;
    for (unsigned i = 0; i < count; i++) clocks->clocks[i].fd = -1;
    sy_status status = SY_OK;
    for (unsigned i = 0; status == SY_OK && i < count; i++) {
        status = open_clock(&clocks->clocks[i], err);
    }
    if (status == SY_OK && setenv("LD_PRELOAD", library, 1) != 0) {
        status = sy_fail(err, SY_ERR_NO_MEMORY, "clocks: no memory");
    }
    if (status != SY_OK) {
        sy_clocks_close(clocks);
        return status;
    }
    *out = clocks;
    return SY_OK;
}

void sy_clocks_close(sy_clocks *clocks)
{
    if (clocks == NULL) return;
    (void)unsetenv("LD_PRELOAD");
    for (unsigned i = 0; i < clocks->count; i++) {
        struct clock *clock = &clocks->clocks[i];
        if (clock->offset_ns != NULL) (void)munmap((void *)clock->offset_ns, sizeof(int64_t));
        if (clock->fd >= 0) close(clock->fd);
    }
    free(clocks);
}

bool sy_clocks_enter(const sy_clocks *clocks, unsigned number)
{
    return number < clocks->count && dup2(clocks->clocks[number].fd, SY_CLOCKS_FD) == SY_CLOCKS_FD;
}

void sy_clocks_set(sy_clocks *clocks, unsigned number, int64_t offset_ms)
{
    SY_ASSERT(number < clocks->count);
    atomic_store(clocks->clocks[number].offset_ns, offset_ms * 1000000);
}
