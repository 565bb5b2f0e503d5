/* engine.h: batches of signature checks, leaf hashes and Merkle trees, wherever they run best.
 *
 * A submission is one unit of asynchronous work: hash `leaves` (RFC 6962 leaf hashes), then check
 * `jobs` (a job's digest is given, or is one of this submission's leaf hashes), then compute the
 * roots of `trees` over ranges of leaf hashes. Verdicts depend on each job alone: Ed25519 of RFC
 * 8032, cofactorless, S < L, exactly as OpenSSL decides it, on every implementation.
 *
 *     sy_engine_submit --> queue --> worker threads --> done ring (eventfd) --> sy_engine_done
 *                            ^             |                                      |
 *                            |             +-- cuda | avx512 | portable | openssl |
 *                            +------------ again, if that one was retired --------+
 *
 * By size: one whose every call costs something, however small, may stand in front for large
 * submissions only (sy_engine_config.from); smaller ones go to the first behind it that takes them.
 *
 * Retirement: an implementation that fails a call, or one of whose sampled answers (verdicts, leaf
 * hashes, roots) OpenSSL contradicts, is retired for good. Every submission that it served and that
 * sy_engine_done has not handed out yet, wherever it is, runs again on the next that takes it, and
 * an alarm is raised (log, metric, sy_engine_info). No submission is ever lost. The last
 * implementation is OpenSSL itself: the reference, which is never cross-checked or retired.
 *
 * Key handles: sy_engine_key_hint names a key that will come back (an enrolled one); an
 * implementation may keep a table for it. A hint is only a cache: verdicts never depend on it. A
 * handle may outlive its implementation, so each compares the table's key with the job's before it
 * uses one, and ignores a handle that it does not know. */
#ifndef SY_CRYPTO_ENGINE_H
#define SY_CRYPTO_ENGINE_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/crypto/keys.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sy_engine sy_engine;
struct sy_engine_config;

#define SY_JOB_NO_LEAF UINT32_MAX
#define SY_KEY_HANDLE_NONE 0u
#define SY_ENGINE_THREADS_MAX 64u
#define SY_ENGINE_QUEUE_MAX 65536u
#define SY_ENGINE_LEAVES_MAX (1u << 24)
#define SY_ENGINE_IMPLS_MAX 8u

struct sy_sig_job {
    struct sy_public_key key;
    struct sy_signature signature;
    struct sy_hash digest; /* used when leaf == SY_JOB_NO_LEAF */
    uint32_t leaf;         /* index into this submission's leaves */
    uint32_t key_handle;   /* SY_KEY_HANDLE_NONE, or what sy_engine_key_hint gave */
    uint8_t kind;          /* enum sy_sig_kind */
};

/* A signature over a message of any length: the bare predicate, for published test vectors. */
struct sy_raw_job {
    struct sy_public_key key;
    struct sy_signature signature;
    struct sy_slice message;
};

struct sy_tree_job {
    uint32_t first; /* leaves[first .. first + count) */
    uint32_t count;
    struct sy_hash root; /* out */
};

/* The caller owns the submission and everything it points at, and keeps them unchanged until the
 * submission comes back from sy_engine_done; then the outputs are filled. Until then the outputs
 * may hold anything. An array whose count is 0 may be NULL. Indices and kinds are the caller's own
 * and are asserted: leaf < leaf_count or SY_JOB_NO_LEAF, a tree's range within the leaves, kind one
 * of enum sy_sig_kind. */
struct sy_submission {
    const struct sy_slice *leaves; /* raw bytes of each leaf (without the 0x00); NULL: leaf_hashes
                                      are given, for trees over them, and stay as they are */
    uint32_t leaf_count;
    struct sy_hash *leaf_hashes; /* out, leaf_count */

    const struct sy_sig_job *jobs;
    uint32_t job_count;
    uint8_t *verdicts; /* out, job_count: 1 good, 0 bad */

    struct sy_tree_job *trees;
    uint32_t tree_count;

    bool urgent; /* does not wait behind others: a worker of its own serves these (votes) */
    bool confirm_negatives; /* a 0 verdict is confirmed with OpenSSL before it is told */
    void *owner;            /* the caller's own; untouched */
};

/* One implementation. run is called from several threads at once; an implementation that needs a
 * lock brings it. It must come back in bounded time: a device that hangs is its own to notice. */
struct sy_engine_impl {
    const char *name;
    bool
        device; /* each call has a cost of its own: sy_engine_choose finds the size where it wins */
    /* open makes the implementation's state; SY_ERR_NOT_FOUND: not on this machine. Called once,
     * before any run; config is the engine's own, borrowed for the call. close may be NULL; called
     * once, after the last run. */
    sy_status (*open)(void **state, const struct sy_engine_config *config, struct sy_error *err);
    void (*close)(void *state);
    /* run fills every output, or fails: then the implementation is retired. scratch has at least
     * leaf_count hashes of room and belongs to the calling worker. */
    sy_status (*run)(void *state, struct sy_submission *submission, struct sy_hash *scratch);
    /* hint may be NULL. Thread-safe. Returns a handle or SY_KEY_HANDLE_NONE. */
    uint32_t (*hint)(void *state, const struct sy_public_key *key,
                     const struct sy_hash *organisation);
    /* raw decides signatures over any messages by the arithmetic that run uses, tables of keys
     * included; it fails when memory is short. May be NULL. */
    sy_status (*raw)(void *state, const struct sy_raw_job *jobs, uint32_t count, uint8_t *verdicts);
};

/* The reference: every verdict is OpenSSL's. Its run never fails. */
extern const struct sy_engine_impl sy_engine_openssl;
/* Plain C, on every processor (engine_portable.c). */
extern const struct sy_engine_impl sy_engine_portable;
/* Eight signatures at a time, on processors with AVX-512 IFMA (avx512_engine.c). */
extern const struct sy_engine_impl sy_engine_avx512;

struct sy_engine_config {
    unsigned threads;                          /* worker threads, 1..64; 0: run inside submit */
    uint32_t queue;                            /* submissions on their way at most: submitted and
                                                  not yet taken from sy_engine_done */
    uint32_t leaves_max;                       /* leaves of one submission at most */
    uint32_t sample_every;                     /* one answer in N is re-checked; 0: never */
    uint64_t table_bytes;                      /* memory for tables of keys (key_tables.h) of one
                                                  implementation; 0: the default there */
    const struct sy_engine_impl *const *impls; /* in order of preference, NULL-terminated;
                                                  the last one must be sy_engine_openssl */
    const uint32_t *from;                      /* impls[i] is given submissions of sy_engine_size
                                                  from[i] and more; the last one's must be 0.
                                                  NULL: 0 for each */
};

/* sy_engine_size is about how much work a submission is, in signature checks: 32 leaves or nodes
 * count as one. */
uint32_t sy_engine_size(const struct sy_submission *submission);

/* What was delivered (counted once, however often it ran), and how the engine stands. */
struct sy_engine_info {
    const char *impl;     /* the one in use: the first of those in use */
    const char *small;    /* the one that takes the smallest submissions; often the same */
    uint32_t from;        /* the size from which impl takes them */
    uint32_t retired;     /* implementations retired so far, a failed self-test included */
    uint64_t submissions; /* delivered */
    uint64_t jobs;        /* signature checks in them */
    uint64_t refused;     /* of these, verdicts 0 */
    uint64_t leaves;      /* leaves in them */
    uint64_t sampled;     /* answers re-checked with OpenSSL */
};

/* sy_engine_open opens each implementation, gives it a known-answer self-test, drops those that are
 * not on this machine (silently) or fail (with an alarm), and starts the workers. The config is
 * read now and not kept, but the implementations are. Fails when a figure is out of its range
 * (SY_ERR_ARGUMENT), memory or threads are short, or OpenSSL itself fails the self-test
 * (SY_ERR_CRYPTO): then this build must not run on this machine. */
sy_status sy_engine_open(sy_engine **engine, const struct sy_engine_config *config,
                         struct sy_error *err);

/* sy_engine_close finishes what was submitted, then stops. Completed submissions that nobody took
 * are dropped. No other call may be under way. NULL is fine. */
void sy_engine_close(sy_engine *engine);

/* sy_engine_submit queues a submission; SY_ERR_BUSY when config.queue of them are on their way
 * (take some from sy_engine_done and come again), SY_ERR_LIMIT when leaf_count > leaves_max. Any
 * thread. Without worker threads it does the work before it returns, and the submission waits for
 * sy_engine_done at once: the same submissions give the same order and the same samples. */
sy_status sy_engine_submit(sy_engine *engine, struct sy_submission *submission);

/* sy_engine_done takes one finished submission, or NULL. sy_engine_done_fd polls readable while
 * one waits (it may turn out to be one that runs again). One consumer. */
struct sy_submission *sy_engine_done(sy_engine *engine);
int sy_engine_done_fd(const sy_engine *engine);

/* sy_engine_run does one submission in the calling thread and returns when it is finished;
 * SY_ERR_LIMIT as above. Any thread; calls from several threads wait for each other. */
sy_status sy_engine_run(sy_engine *engine, struct sy_submission *submission);

/* sy_engine_run_raw has the first implementation in use decide count raw jobs, in the calling
 * thread: verdicts[i] is 1 or 0. No answer is sampled or counted. SY_ERR_NOT_FOUND when that
 * implementation decides none, SY_ERR_NO_MEMORY. Any thread. For tests and tools. */
sy_status sy_engine_run_raw(sy_engine *engine, uint8_t *verdicts, const struct sy_raw_job *jobs,
                            uint32_t count);

/* sy_engine_key_hint tells the implementations in use that this key will come back, and whose it is
 * (quotas are per organisation). Returns what to put into jobs' key_handle, for the first of them;
 * the others find the key by itself. Any thread. */
uint32_t sy_engine_key_hint(sy_engine *engine, const struct sy_public_key *key,
                            const struct sy_hash *organisation);

/* sy_engine_get_info copies the figures out. Any thread. */
void sy_engine_get_info(const sy_engine *engine, struct sy_engine_info *out);

#ifdef __cplusplus
}
#endif
#endif
