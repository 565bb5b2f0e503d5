#include "core/base/status.h"

#include <stdarg.h>
#include <stdio.h>

const char *sy_status_name(sy_status status)
{
    static const char *const names[SY_STATUS_COUNT] = {
        [SY_OK] = "ok",
        [SY_ERR_ARGUMENT] = "bad argument",
        [SY_ERR_NOT_FOUND] = "not found",
        [SY_ERR_EXISTS] = "exists already",
        [SY_ERR_NO_MEMORY] = "out of memory",
        [SY_ERR_IO] = "input or output error",
        [SY_ERR_DISK_FULL] = "disk full",
        [SY_ERR_CORRUPT] = "corrupt",
        [SY_ERR_FORMAT] = "malformed",
        [SY_ERR_VERSION] = "unknown version",
        [SY_ERR_LIMIT] = "limit exceeded",
        [SY_ERR_BUSY] = "busy",
        [SY_ERR_CLOSED] = "closed",
        [SY_ERR_TIMEOUT] = "timed out",
        [SY_ERR_CRYPTO] = "cryptographic failure",
        [SY_ERR_NETWORK] = "network failure",
        [SY_ERR_PERMISSION] = "not permitted",
        [SY_ERR_PRUNED] = "pruned",
    };
    if ((unsigned)status >= SY_STATUS_COUNT) return "unknown status";
    return names[status];
}

sy_status sy_fail(struct sy_error *err, sy_status status, const char *format, ...)
{
    if (!err) return status;
    err->status = status;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (length < 0) err->text[0] = '\0';
    return status;
}
