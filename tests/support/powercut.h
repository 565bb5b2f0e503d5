/* powercut.h: a disk that can lose power, or room, at any system call.
 *
 * A test that says POWERCUT_INSTALL once puts its own write, pwrite, writev, fdatasync, fsync and
 * statvfs before the C library's in the whole program, LMDB included. Calls on files named data.mdb
 * are counted; the N-th can be made to fail, or to be the moment of a power cut: of everything
 * written since a file's last sync, each page then survives or not by the throw of a coin (as it
 * may on a disk with a cache), the call under way may be torn, and the process dies by SIGKILL. A
 * write through an O_DSYNC descriptor is durable when it returns. Syncs are not passed on to the
 * real disk: nobody cuts its power here, and they cost time.
 *
 * What it cannot show: files and folders whose creation was not synced, and disks that lie. */
#ifndef SY_TESTS_SUPPORT_POWERCUT_H
#define SY_TESTS_SUPPORT_POWERCUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct iovec;
struct statvfs;

enum powercut_action {
    POWERCUT_COUNT,  /* nothing happens; calls are counted */
    POWERCUT_DIE,    /* the nth call is the power cut */
    POWERCUT_ENOSPC, /* the nth write and all later ones find no room, until the next arm; writes of
                        LMDB's meta page, whose room is there, are left alone and not counted */
    POWERCUT_SHORT,  /* the nth call writes half of its bytes; later writes find no room */
    POWERCUT_EIO     /* the nth call fails; later ones work */
};

/* powercut_arm counts from zero from now on. seed decides the coins. syncs_lie: syncs make nothing
 * durable (so that a test can see that the cut is a cut). */
void powercut_arm(enum powercut_action action, uint64_t nth, uint64_t seed, bool syncs_lie);

/* powercut_linger makes a write that finds no room take ms (below 1,000) to say so, from now on, in
 * any thread but the caller's: time in which the caller may make room. */
void powercut_linger(unsigned ms);

/* powercut_calls is how many calls were counted since. */
uint64_t powercut_calls(void);

/* What stands before the C library's functions of these names. */
ssize_t powercut_write(int fd, const void *data, size_t size);
ssize_t powercut_pwrite(int fd, const void *data, size_t size, off_t at);
ssize_t powercut_writev(int fd, const struct iovec *parts, int count);
int powercut_fdatasync(int fd);
int powercut_fsync(int fd);
int powercut_statvfs(const char *path, struct statvfs *out);

// The functions are defined in the test itself: in a library they would be linked into tests that
// never asked for them.
#define POWERCUT_INSTALL                                                 \
    ssize_t write(int fd, const void *data, size_t size)                 \
    {                                                                    \
        return powercut_write(fd, data, size);                           \
    }                                                                    \
    ssize_t pwrite(int fd, const void *data, size_t size, off_t at)      \
    {                                                                    \
        return powercut_pwrite(fd, data, size, at);                      \
    }                                                                    \
    ssize_t writev(int fd, const struct iovec *parts, int count)         \
    {                                                                    \
        return powercut_writev(fd, parts, count);                        \
    }                                                                    \
    int fdatasync(int fd)                                                \
    {                                                                    \
        return powercut_fdatasync(fd);                                   \
    }                                                                    \
    int fsync(int fd)                                                    \
    {                                                                    \
        return powercut_fsync(fd);                                       \
    }                                                                    \
    int statvfs(const char *restrict path, struct statvfs *restrict out) \
    {                                                                    \
        return powercut_statvfs(path, out);                              \
    }

#endif
