/* See client_salts.h. */
#include "core/client/client_salts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/os.h"

#define PLACE_BYTES 32u
#define PATH_BYTES 4200u
#define PLACES_MAX (UINT64_C(1) << 56) /* so that an offset fits */

static const uint8_t magic[PLACE_BYTES] = "systole-salts-v1";

struct sy_client_salts {
    char path[PATH_BYTES];
    int fd;
    bool dirty;
};

static sy_status fail_io(const sy_client_salts *salts, const char *what, struct sy_error *err)
{
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) {
        return sy_fail(err, SY_ERR_DISK_FULL, "%s: no room to %s; make room and run again",
                       salts->path, what);
    }
    return sy_fail(err, SY_ERR_IO, "%s: cannot %s: %s", salts->path, what, strerror(errno));
}

/* Short reads (the file ends there) leave zeros. */
static sy_status read_place(const sy_client_salts *salts, uint8_t out[PLACE_BYTES], uint64_t place,
                            struct sy_error *err)
{
    size_t done = 0;
    memset(out, 0, PLACE_BYTES);
    while (done < PLACE_BYTES) {
        ssize_t size =
            pread(salts->fd, out + done, PLACE_BYTES - done, (off_t)(place * PLACE_BYTES + done));
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return fail_io(salts, "read", err);
        if (size == 0) break;
        done += (size_t)size;
    }
    return SY_OK;
}

static sy_status write_place(sy_client_salts *salts, const uint8_t bytes[PLACE_BYTES],
                             uint64_t place, struct sy_error *err)
{
    size_t done = 0;
    salts->dirty = true;
    while (done < PLACE_BYTES) {
        ssize_t size = pwrite(salts->fd, bytes + done, PLACE_BYTES - done,
                              (off_t)(place * PLACE_BYTES + done));
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return fail_io(salts, "write", err);
        done += (size_t)size;
    }
    return SY_OK;
}

static sy_status check_magic(sy_client_salts *salts, bool make, struct sy_error *err)
{
    static const uint8_t zeros[PLACE_BYTES];
    uint8_t found[PLACE_BYTES];
    SY_TRY(read_place(salts, found, 0, err));
    if (memcmp(found, magic, PLACE_BYTES) == 0) return SY_OK;
    if (memcmp(found, zeros, PLACE_BYTES) != 0 || !make) {
        return sy_fail(err, SY_ERR_CORRUPT, "%s is no file of salts; restore it from a backup",
                       salts->path);
    }
    SY_TRY(write_place(salts, magic, 0, err));
    return sy_client_salts_sync(salts, err);
}

sy_status sy_client_salts_open(sy_client_salts **out, const char *folder, bool writes, bool make,
                               struct sy_error *err)
{
    *out = NULL;
    SY_ASSERT(writes || !make);
    sy_client_salts *salts = calloc(1, sizeof *salts);
    if (salts == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the client store");
    int size = snprintf(salts->path, sizeof salts->path, "%s/salts", folder);
    if (size < 0 || (size_t)size >= sizeof salts->path) {
        free(salts);
        return sy_fail(err, SY_ERR_ARGUMENT, "the client store's path is too long");
    }
    int flags = (writes ? O_RDWR : O_RDONLY) | (make ? O_CREAT : 0) | O_CLOEXEC;
    salts->fd = open(salts->path, flags, 0600);
    sy_status status = SY_OK;
    if (salts->fd < 0) {
        status = errno == ENOENT ? sy_fail(err, SY_ERR_NOT_FOUND,
                                           "%s is missing; restore it from a backup", salts->path)
                                 : fail_io(salts, "open it", err);
    }
    if (status == SY_OK) status = check_magic(salts, make, err);
    if (status != SY_OK) {
        sy_client_salts_close(salts);
        return status;
    }
    *out = salts;
    return SY_OK;
}

void sy_client_salts_close(sy_client_salts *salts)
{
    if (salts == NULL) return;
    if (salts->fd >= 0) close(salts->fd);
    free(salts);
}

sy_status sy_client_salts_get(const sy_client_salts *salts, struct sy_hash *out, uint64_t place,
                              struct sy_error *err)
{
    if (place == 0 || place > PLACES_MAX) {
        *out = (struct sy_hash){{0}};
        return SY_ERR_NOT_FOUND;
    }
    SY_TRY(read_place(salts, out->bytes, place, err));
    return sy_hash_is_zero(out) ? SY_ERR_NOT_FOUND : SY_OK;
}

sy_status sy_client_salts_put(sy_client_salts *salts, uint64_t place, const struct sy_hash *salt,
                              struct sy_error *err)
{
    SY_ASSERT(place > 0 && place <= PLACES_MAX && !sy_hash_is_zero(salt));
    return write_place(salts, salt->bytes, place, err);
}

sy_status sy_client_salts_wipe(sy_client_salts *salts, uint64_t place, struct sy_error *err)
{
    static const uint8_t zeros[PLACE_BYTES];
    if (place == 0 || place > PLACES_MAX) return SY_OK;
    return write_place(salts, zeros, place, err);
}

sy_status sy_client_salts_sync(sy_client_salts *salts, struct sy_error *err)
{
    if (!salts->dirty) return SY_OK;
    if (sy_os_failpoint("client.salts") != SY_OK) {
        errno = EIO;
        return fail_io(salts, "sync", err);
    }
    if (fdatasync(salts->fd) != 0) return fail_io(salts, "sync", err);
    salts->dirty = false;
    return SY_OK;
}
