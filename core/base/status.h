/* status.h: what a call that the world can spoil returns.
 *
 * Three kinds of failure have three forms here (DESIGN.md, "Errors"): our own bug aborts through
 * SY_ASSERT; the world failing us is a sy_status that must be checked; somebody sending us
 * nonsense is a refusal code (core/wire/refusal.h), counted and never fatal.
 *
 * A function that a person may have to read the failure of takes a `struct sy_error *err`, which
 * may be NULL, and fills it with one sentence: what failed, where, and what to do about it. */
#ifndef SY_BASE_STATUS_H
#define SY_BASE_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* A status must be looked at. gcc knows the attribute on functions only; on the type, where it
 * covers every function that returns one, clang enforces it, and the clang build is a test. */
#define SY_MUST_CHECK __attribute__((warn_unused_result))
#ifdef __clang__
#define SY_MUST_CHECK_TYPE __attribute__((warn_unused_result))
#else
#define SY_MUST_CHECK_TYPE
#endif
#define SY_PRINTF(format_index, first_index) \
    __attribute__((format(printf, format_index, first_index)))

typedef enum SY_MUST_CHECK_TYPE sy_status {
    SY_OK = 0,
    SY_ERR_ARGUMENT,   /* a value given by a person is out of range or misspelt */
    SY_ERR_NOT_FOUND,  /* the named thing does not exist */
    SY_ERR_EXISTS,     /* the named thing exists and must not */
    SY_ERR_NO_MEMORY,  /* the arena or the system has no room left */
    SY_ERR_IO,         /* a file or device call failed */
    SY_ERR_DISK_FULL,  /* no room on the device, or a file size limit: stop cleanly, make room */
    SY_ERR_CORRUPT,    /* stored bytes are not what was stored */
    SY_ERR_FORMAT,     /* received bytes are not well formed */
    SY_ERR_VERSION,    /* well formed, but of a version this build does not know */
    SY_ERR_LIMIT,      /* a stated bound would be exceeded */
    SY_ERR_BUSY,       /* try again later: a bounded queue is full */
    SY_ERR_CLOSED,     /* the other side, or this handle, is closed */
    SY_ERR_TIMEOUT,    /* the deadline passed; the outcome is unknown */
    SY_ERR_CRYPTO,     /* OpenSSL refused, or a signature or certificate is wrong */
    SY_ERR_NETWORK,    /* an address cannot be bound or reached */
    SY_ERR_PERMISSION, /* the system or a policy forbids it */
    SY_ERR_PRUNED,     /* it was here; history below a height is kept no longer */
    SY_STATUS_COUNT
} sy_status;

/* One sentence for a person. `text` is always terminated. */
struct sy_error {
    sy_status status;
    char text[512];
};

/* sy_status_name is the lower-case name of a status ("disk full"). Never NULL; static storage. */
const char *sy_status_name(sy_status status);

/* sy_fail writes a formatted sentence into err (if not NULL) and returns status, so that a
 * failing branch reads `return sy_fail(err, SY_ERR_IO, "%s: %s", path, strerror(errno));`.
 * Over-long text is cut at the buffer's end. */
sy_status sy_fail(struct sy_error *err, sy_status status, const char *format, ...) SY_PRINTF(3, 4);

/* SY_TRY returns the status of a call that did not succeed. Only where nothing is held. */
#define SY_TRY(call)                                        \
    do {                                                    \
        sy_status sy_try_status_ = (call);                  \
        if (sy_try_status_ != SY_OK) return sy_try_status_; \
    } while (0)

#ifdef __cplusplus
}
#endif
#endif
