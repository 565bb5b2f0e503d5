/* The files of os.h. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/os.h"

#define FIRST_READ_BYTES 4096u

// Fails with the reason errno gives, and with the advice that goes with it.
static sy_status fail_errno(struct sy_error *err, const char *what, const char *path)
{
    int reason = errno;
    sy_status status = sy_os_status(reason);
    const char *advice = status == SY_ERR_DISK_FULL    ? "; make room and try again"
                         : status == SY_ERR_PERMISSION ? "; check the owner and the mode"
                                                       : "";
    return sy_fail(err, status, "cannot %s %s: %s%s", what, path, strerror(reason), advice);
}

// Reads to the end of the file into *out, which grows; one byte is kept for the terminator.
static sy_status read_all(uint8_t **out, size_t *size, int fd, const char *path, size_t max_bytes,
                          struct sy_error *err)
{
    size_t capacity = 0;
    for (;;) {
        if (*size + 1 >= capacity) {
            capacity = capacity ? capacity * 2 : FIRST_READ_BYTES;
            uint8_t *grown = (uint8_t *)realloc(*out, capacity);
            if (!grown) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory left to read %s", path);
            *out = grown;
        }
        ssize_t got = read(fd, *out + *size, capacity - *size - 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno(err, "read", path);
        if (got == 0) return SY_OK;
        *size += (size_t)got;
        if (*size > max_bytes) {
            return sy_fail(err, SY_ERR_LIMIT, "%s is larger than the %zu bytes allowed here", path,
                           max_bytes);
        }
    }
}

sy_status sy_os_read_file(uint8_t **out, size_t *size, const char *path, size_t max_bytes,
                          struct sy_error *err)
{
    *out = NULL;
    *size = 0;
    SY_ASSERT(max_bytes < SIZE_MAX / 4);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail_errno(err, "open", path);
    sy_status status = read_all(out, size, fd, path, max_bytes, err);
    close(fd);
    if (status == SY_OK) {
        SY_ASSERT(*out);
        (*out)[*size] = '\0';
    } else {
        free(*out);
        *out = NULL;
        *size = 0;
    }
    return status;
}

// Copies the folder part of path ("." if there is none) into out.
static sy_status find_folder(char *out, size_t out_size, const char *path, struct sy_error *err)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 1;
    if (slash == path) length = 1;
    if (length >= out_size)
        return sy_fail(err, SY_ERR_LIMIT, "the path %.64s... is too long", path);
    memcpy(out, slash ? path : ".", length);
    out[length] = '\0';
    return SY_OK;
}

static sy_status write_all(int fd, const uint8_t *data, size_t size, const char *path,
                           struct sy_error *err)
{
    while (size > 0) {
        ssize_t put = write(fd, data, size);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return fail_errno(err, "write", path);
        data += put;
        size -= (size_t)put;
    }
    return SY_OK;
}

// A failpoint's status with the sentence that the real failure would have.
static sy_status pass_failpoint(const char *name, const char *what, const char *path,
                                struct sy_error *err)
{
    sy_status status = sy_os_failpoint(name);
    if (status == SY_OK) return SY_OK;
    errno = status == SY_ERR_DISK_FULL ? ENOSPC : EIO;
    return fail_errno(err, what, path);
}

// Fills the temporary file and makes it durable.
static sy_status fill_file(int fd, const char *path, const void *data, size_t size, unsigned mode,
                           struct sy_error *err)
{
    if (fchmod(fd, (mode_t)mode) != 0) return fail_errno(err, "set the mode of", path);
    SY_TRY(pass_failpoint("os.write", "write", path, err));
    SY_TRY(write_all(fd, (const uint8_t *)data, size, path, err));
    SY_TRY(pass_failpoint("os.fsync", "make durable", path, err));
    if (fsync(fd) != 0) return fail_errno(err, "make durable", path);
    return SY_OK;
}

/* A device or a pipe would be replaced by a file: /dev/null, say, by whoever is root. */
static sy_status check_target(const char *path, struct sy_error *err)
{
    struct stat target;
    if (lstat(path, &target) != 0 || S_ISREG(target.st_mode) || S_ISLNK(target.st_mode)) {
        return SY_OK;
    }
    return sy_fail(err, SY_ERR_ARGUMENT, "%s is there and no file: choose another path", path);
}

// Gives the temporary file its name; `fresh` takes nobody else's.
static sy_status publish(const char *temporary, const char *path, bool fresh, struct sy_error *err)
{
    SY_TRY(pass_failpoint("os.rename", "replace", path, err));
    if (!fresh) {
        return rename(temporary, path) == 0 ? SY_OK : fail_errno(err, "replace", path);
    }
    if (link(temporary, path) != 0) {
        if (errno != EEXIST) return fail_errno(err, "create", path);
        return sy_fail(err, SY_ERR_EXISTS, "%s is there already and is not replaced", path);
    }
    unlink(temporary);
    return SY_OK;
}

static sy_status write_file(const char *path, const void *data, size_t size, unsigned mode,
                            bool fresh, struct sy_error *err)
{
    char temporary[4096];
    char folder[4096];
    int length = snprintf(temporary, sizeof temporary, "%s.tmp.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof temporary) {
        return sy_fail(err, SY_ERR_LIMIT, "the path %.64s... is too long", path);
    }
    SY_TRY(check_target(path, err));
    SY_TRY(find_folder(folder, sizeof folder, path, err));
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) return fail_errno(err, "create", temporary);
    sy_status status = fill_file(fd, path, data, size, mode, err);
    if (close(fd) != 0 && status == SY_OK) status = fail_errno(err, "write", path);
    if (status == SY_OK) status = publish(temporary, path, fresh, err);
    if (status != SY_OK) {
        unlink(temporary);
        return status;
    }
    return sy_os_fsync_dir(folder, err);
}

sy_status sy_os_write_file(const char *path, const void *data, size_t size, unsigned mode,
                           struct sy_error *err)
{
    return write_file(path, data, size, mode, false, err);
}

sy_status sy_os_write_new_file(const char *path, const void *data, size_t size, unsigned mode,
                               struct sy_error *err)
{
    return write_file(path, data, size, mode, true, err);
}

sy_status sy_os_lock(int *lock, const char *path, struct sy_error *err)
{
    char name[4096];
    int length = snprintf(name, sizeof name, "%s.lock", path);
    if (length < 0 || (size_t)length >= sizeof name) {
        return sy_fail(err, SY_ERR_LIMIT, "the path %.64s... is too long", path);
    }
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return fail_errno(err, "open", name);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *lock = fd;
        return SY_OK;
    }
    sy_status status =
        errno == EWOULDBLOCK
            ? sy_fail(err, SY_ERR_BUSY,
                      "another run is at work on %s: wait until it ends, and try again", path)
            : fail_errno(err, "lock", name);
    close(fd);
    return status;
}

void sy_os_unlock(int lock)
{
    if (lock >= 0) close(lock);
}

sy_status sy_os_make_dirs(const char *path, unsigned mode, struct sy_error *err)
{
    char prefix[4096];
    size_t length = strlen(path);
    if (length == 0) return sy_fail(err, SY_ERR_ARGUMENT, "the name of a folder is empty");
    if (length >= sizeof prefix) {
        return sy_fail(err, SY_ERR_LIMIT, "the path %.64s... is too long", path);
    }
    memcpy(prefix, path, length + 1);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        prefix[i] = '\0';
        struct stat info;
        if (mkdir(prefix, (mode_t)mode) != 0 && errno != EEXIST) {
            return fail_errno(err, "make the folder", prefix);
        }
        if (stat(prefix, &info) != 0) return fail_errno(err, "look at", prefix);
        if (!S_ISDIR(info.st_mode)) {
            return sy_fail(err, SY_ERR_EXISTS,
                           "cannot make the folder %s: a file of that name exists", prefix);
        }
        prefix[i] = path[i];
    }
    return SY_OK;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path) == 0 || errno == ENOENT ? 0 : errno;
}

sy_status sy_os_remove_tree(const char *path, struct sy_error *err)
{
    // Contents come before their folder, links are removed and not followed.
    int reason = nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    if (reason == 0 || (reason < 0 && errno == ENOENT)) return SY_OK;
    if (reason > 0) errno = reason;
    return fail_errno(err, "remove", path);
}

sy_status sy_os_fsync_dir(const char *path, struct sy_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return fail_errno(err, "open the folder", path);
    sy_status status = SY_OK;
    if (fsync(fd) != 0) status = fail_errno(err, "make durable", path);
    close(fd);
    return status;
}
