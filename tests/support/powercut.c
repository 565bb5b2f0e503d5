#include "tests/support/powercut.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/prng.h"

#define PAGE 4096
#define UNDO_MAX 65536

// The bytes that one page of a file had before a write that is not synced yet.
struct undo {
    ino_t inode;
    int fd; /* opened through /proc, so that no descriptor of LMDB's is needed later */
    off_t page;
    off_t size_before; /* of the file */
    bool settled;
    uint8_t bytes[PAGE];
};

static struct {
    pthread_mutex_t lock;
    enum powercut_action action;
    uint64_t nth;
    uint64_t calls;
    bool syncs_lie;
    bool room_gone;
    unsigned linger_ms;
    pthread_t in_haste; /* does not linger */
    sy_prng coins;
    struct undo *undo;
    size_t undo_count;
} cut = {.lock = PTHREAD_MUTEX_INITIALIZER};

// This thread's last write found no room: for its questions there is none, whatever was made since.
static _Thread_local bool refused_here;

static void lock_cut(void)
{
    int failed = pthread_mutex_lock(&cut.lock);
    SY_ASSERT(!failed);
}

static void unlock_cut(void)
{
    int failed = pthread_mutex_unlock(&cut.lock);
    SY_ASSERT(!failed);
}

void powercut_arm(enum powercut_action action, uint64_t nth, uint64_t seed, bool syncs_lie)
{
    lock_cut();
    cut.action = action;
    cut.nth = nth;
    cut.calls = 0;
    cut.syncs_lie = syncs_lie;
    cut.room_gone = false;
    sy_prng_seed(&cut.coins, seed);
    if (action == POWERCUT_DIE && !cut.undo) {
        cut.undo = (struct undo *)calloc(UNDO_MAX, sizeof *cut.undo);
        SY_ASSERT(cut.undo);
    }
    unlock_cut();
}

void powercut_linger(unsigned ms)
{
    lock_cut();
    cut.linger_ms = ms;
    cut.in_haste = pthread_self();
    unlock_cut();
}

uint64_t powercut_calls(void)
{
    lock_cut();
    uint64_t calls = cut.calls;
    unlock_cut();
    return calls;
}

static bool is_watched(int fd)
{
    char link[64];
    char path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 9) return false;
    path[size] = '\0';
    return strcmp(path + size - 9, "/data.mdb") == 0;
}

static bool is_dsync(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_DSYNC) == O_DSYNC;
}

/* ---- remembering and undoing ------------------------------------------------------------ */

static void remember_page(const struct stat *info, int own_fd, off_t page)
{
    SY_ASSERT(cut.undo_count < UNDO_MAX);
    struct undo *undo = &cut.undo[cut.undo_count++];
    *undo = (struct undo){.inode = info->st_ino, .fd = own_fd, .page = page};
    undo->size_before = info->st_size;
    ssize_t got = pread(own_fd, undo->bytes, PAGE, page);
    SY_ASSERT(got >= 0);
}

static void remember(int fd, off_t from, size_t size)
{
    struct stat info;
    char link[64];
    int failed = fstat(fd, &info);
    SY_ASSERT(!failed);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int own_fd = open(link, O_RDWR | O_CLOEXEC);
    SY_ASSERT(own_fd >= 0);
    off_t end = from + (off_t)size;
    for (off_t page = from / PAGE * PAGE; page < end; page += PAGE) {
        remember_page(&info, own_fd, page);
    }
}

static void forget(int fd)
{
    struct stat info;
    int failed = fstat(fd, &info);
    SY_ASSERT(!failed);
    size_t kept = 0;
    int closed = -1;
    for (size_t i = 0; i < cut.undo_count; i++) {
        if (cut.undo[i].inode != info.st_ino) {
            cut.undo[kept++] = cut.undo[i];
        } else if (cut.undo[i].fd != closed) {
            closed = cut.undo[i].fd;
            (void)close(closed);
        }
    }
    cut.undo_count = kept;
}

// Settles every other memory of the same page: it keeps what a newer write left there.
static void settle(const struct undo *kept)
{
    for (size_t i = 0; i < cut.undo_count; i++) {
        struct undo *undo = &cut.undo[i];
        if (undo->inode == kept->inode && undo->page == kept->page) undo->settled = true;
    }
}

static void lose_power(void)
{
    for (size_t i = cut.undo_count; i-- > 0;) {
        struct undo *undo = &cut.undo[i];
        if (undo->settled) continue;
        if (sy_prng_chance(&cut.coins, 1, 2)) {
            settle(undo);
            continue;
        }
        long put = syscall(SYS_pwrite64, undo->fd, undo->bytes, (size_t)PAGE, undo->page);
        SY_ASSERT(put == PAGE);
    }
    (void)kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* ---- the calls -------------------------------------------------------------------------- */

enum fate { GO, FAIL_ENOSPC, FAIL_EIO, HALF, DIE };

// Counts one call and says what becomes of it. in_place: it writes where the file has its room, as
// LMDB's meta page does, so it cannot lack any. The lock is held.
static enum fate count_call(bool is_write, bool in_place)
{
    bool for_room = cut.action == POWERCUT_ENOSPC || cut.action == POWERCUT_SHORT;
    if (for_room && in_place) return GO;
    cut.calls++;
    if (cut.room_gone && is_write) return FAIL_ENOSPC;
    if (cut.nth == 0 || cut.calls != cut.nth) return GO;
    switch (cut.action) {
    case POWERCUT_COUNT: return GO;
    case POWERCUT_DIE: return DIE;
    case POWERCUT_EIO: return FAIL_EIO;
    case POWERCUT_ENOSPC:
    case POWERCUT_SHORT: break;
    }
    cut.room_gone = true;
    if (!is_write) return GO;
    return cut.action == POWERCUT_SHORT ? HALF : FAIL_ENOSPC;
}

static ssize_t fail_with(int code)
{
    errno = code;
    return -1;
}

// One write at an offset; the lock is held.
static ssize_t write_at(int fd, const void *data, size_t size, off_t at)
{
    enum fate fate = count_call(true, is_dsync(fd));
    refused_here = fate == FAIL_ENOSPC || fate == HALF;
    if (fate == FAIL_ENOSPC) return fail_with(ENOSPC);
    if (fate == FAIL_EIO) return fail_with(EIO);
    // Sectors of 512 bytes are written whole or not at all: LMDB's meta page counts on it.
    if (fate == HALF) size = size / 2 / 512 * 512;
    if (fate == DIE) size = (size_t)sy_prng_below(&cut.coins, size / 512 + 1) * 512;
    bool volatile_write = cut.action == POWERCUT_DIE && !is_dsync(fd);
    if (volatile_write && size > 0) remember(fd, at, size);
    ssize_t done = size > 0 ? (ssize_t)syscall(SYS_pwrite64, fd, data, size, at) : 0;
    if (fate == DIE) lose_power();
    return done;
}

// Ends a write call. One that was refused may take its time to say so.
static void leave_write(void)
{
    bool lingers =
        refused_here && cut.linger_ms > 0 && !pthread_equal(pthread_self(), cut.in_haste);
    unsigned ms = lingers ? cut.linger_ms : 0;
    unlock_cut();
    struct timespec pause_for = {.tv_nsec = (long)ms * 1000000};
    if (ms > 0) (void)nanosleep(&pause_for, NULL);
}

ssize_t powercut_pwrite(int fd, const void *data, size_t size, off_t at)
{
    if (!is_watched(fd)) return (ssize_t)syscall(SYS_pwrite64, fd, data, size, at);
    lock_cut();
    ssize_t done = write_at(fd, data, size, at);
    leave_write();
    return done;
}

ssize_t powercut_write(int fd, const void *data, size_t size)
{
    if (!is_watched(fd)) return (ssize_t)syscall(SYS_write, fd, data, size);
    lock_cut();
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t done = write_at(fd, data, size, at);
    if (done > 0) (void)lseek(fd, at + done, SEEK_SET);
    leave_write();
    return done;
}

ssize_t powercut_writev(int fd, const struct iovec *parts, int count)
{
    if (!is_watched(fd)) return (ssize_t)syscall(SYS_writev, fd, parts, count);
    lock_cut();
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t done = 0;
    for (int i = 0; i < count; i++) {
        ssize_t part = write_at(fd, parts[i].iov_base, parts[i].iov_len, at + done);
        if (part < 0 && done == 0) done = -1;
        if (part < 0) break;
        done += part;
        if ((size_t)part < parts[i].iov_len) break;
    }
    if (done > 0) (void)lseek(fd, at + done, SEEK_SET);
    leave_write();
    return done;
}

static int sync_file(int fd, long number)
{
    if (!is_watched(fd)) return (int)syscall(number, fd);
    lock_cut();
    enum fate fate = count_call(false, true);
    if (fate == DIE) lose_power();
    if (fate == GO && !cut.syncs_lie) forget(fd);
    unlock_cut();
    return fate == FAIL_EIO ? (int)fail_with(EIO) : 0;
}

int powercut_fdatasync(int fd)
{
    return sync_file(fd, SYS_fdatasync);
}

int powercut_fsync(int fd)
{
    return sync_file(fd, SYS_fsync);
}

// A device without room says so.
int powercut_statvfs(const char *path, struct statvfs *out)
{
    struct statfs info;
    if (syscall(SYS_statfs, path, &info) != 0) return -1;
    lock_cut();
    bool room_gone = cut.room_gone;
    unlock_cut();
    memset(out, 0, sizeof *out);
    out->f_bsize = (unsigned long)info.f_bsize;
    out->f_frsize = (unsigned long)(info.f_frsize ? info.f_frsize : info.f_bsize);
    out->f_bavail = room_gone || refused_here ? 0 : info.f_bavail;
    return 0;
}
