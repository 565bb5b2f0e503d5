#include "core/base/os.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/base/assert.h"

int64_t sy_os_wall_ms(void)
{
    struct timespec now;
    int failed = clock_gettime(CLOCK_REALTIME, &now);
    SY_ASSERT(!failed);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t sy_os_monotonic_ns(void)
{
    struct timespec now;
    int failed = clock_gettime(CLOCK_MONOTONIC, &now);
    SY_ASSERT(!failed);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

sy_status sy_os_status(int errno_value)
{
    switch (errno_value) {
    case 0: return SY_OK;
    case ENOENT: return SY_ERR_NOT_FOUND;
    case EEXIST: return SY_ERR_EXISTS;
    case ENOMEM: return SY_ERR_NO_MEMORY;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return SY_ERR_DISK_FULL;
    case EACCES:
    case EPERM:
    case EROFS: return SY_ERR_PERMISSION;
    case EADDRINUSE:
    case EADDRNOTAVAIL:
    case ECONNREFUSED:
    case ENETUNREACH:
    case EHOSTUNREACH: return SY_ERR_NETWORK;
    case EPIPE:
    case ECONNRESET: return SY_ERR_CLOSED;
    case ETIMEDOUT: return SY_ERR_TIMEOUT;
    default: return SY_ERR_IO;
    }
}

void sy_os_random(void *out, size_t size)
{
    uint8_t *p = (uint8_t *)out;
    while (size > 0) {
        ssize_t got = getrandom(p, size, 0);
        if (got < 0 && errno == EINTR) continue;
        SY_ASSERT(got > 0);
        p += got;
        size -= (size_t)got;
    }
}

// A listening socket on 127.0.0.1, or -1. Listening, with SO_REUSEADDR, is what a server will do:
// closed connections that linger on the port are no obstacle, another listener is.
static int try_port(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    int one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

uint16_t sy_os_free_port(uint16_t first, unsigned count)
{
    unsigned run = 0; // free ports in a row that end before `port`
    for (unsigned port = first ? first : 1; port <= 65535 && count > 0; port++) {
        int fd = try_port((uint16_t)port);
        run = fd >= 0 ? run + 1 : 0;
        if (fd >= 0) close(fd);
        if (run == count) return (uint16_t)(port - count + 1);
    }
    return 0;
}

// The number in a file such as memory.max, or UINT64_MAX when there is none ("max", no file).
static uint64_t read_limit(const char *folder, const char *name)
{
    char path[512];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof path) return UINT64_MAX;
    FILE *file = fopen(path, "re");
    if (!file) return UINT64_MAX;
    char line[64];
    uint64_t limit = UINT64_MAX;
    if (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (!sy_parse_u64(&limit, line, 0, UINT64_MAX)) limit = UINT64_MAX;
    }
    fclose(file);
    return limit;
}

// The smallest limit of a group and its ancestors: root/group, then each parent up to root.
static uint64_t read_limits_upward(const char *root, const char *group, const char *name)
{
    char folder[384];
    int length = snprintf(folder, sizeof folder, "%s%s", root, group);
    if (length < 0 || (size_t)length >= sizeof folder) return UINT64_MAX;
    uint64_t smallest = UINT64_MAX;
    for (;;) {
        uint64_t limit = read_limit(folder, name);
        if (limit < smallest) smallest = limit;
        if (strlen(folder) <= strlen(root)) return smallest;
        *strrchr(folder, '/') = '\0';
    }
}

uint64_t sy_os_memory_limit_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);
    SY_ASSERT(pages > 0 && page_bytes > 0);
    uint64_t smallest = (uint64_t)pages * (uint64_t)page_bytes;
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (!file) return smallest;
    char line[512];
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        // "id:controllers:path"; version 2 of cgroups has id 0 and no controllers.
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path || path[1] != '/') continue;
        *path++ = '\0';
        uint64_t limit = UINT64_MAX;
        if (strcmp(line, "0:") == 0) {
            limit = read_limits_upward("/sys/fs/cgroup", path, "memory.max");
        } else if (strstr(controllers, "memory")) {
            limit = read_limits_upward("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes");
        }
        if (limit < smallest) smallest = limit;
    }
    fclose(file);
    return smallest;
}
