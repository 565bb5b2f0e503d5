/* engine_window.h: what engines with tables of keys have in common: a submission's hashes and
 * trees, and jobs in windows, sorted by table, from the first to the last verdict. Internal to
 * engine implementations; what decides a batch of jobs is each one's own (struct sy_job_way).
 *
 *     jobs --> windows of SY_JOB_WINDOW --> those without a table, then table by table
 *          --> batches, each all with tables or all without --> way->verify --> verdicts
 *
 * So one table stays next to the core until all its jobs of a window are done. Verdicts know
 * nothing of that order. */
#ifndef SY_CRYPTO_ENGINE_WINDOW_H
#define SY_CRYPTO_ENGINE_WINDOW_H

#include "core/crypto/engine.h"
#include "core/crypto/key_tables.h"
#include "core/crypto/sha512_many.h"

#define SY_JOB_WINDOW 8192u

/* Where jobs come from. */
struct sy_job_source {
    const struct sy_submission *submission; /* NULL: raw ones */
    const struct sy_raw_job *raw;
};

/* Jobs that are decided together: all of them have a table, or none has. */
struct sy_job_batch {
    const struct sy_job_source *source;
    const uint32_t *indices;   /* count of them, of jobs in the source */
    const void *const *tables; /* of their keys, or NULL each */
    uint32_t count;            /* 1 to batch_max of the way */
    bool tabled;
};

/* How an engine decides. */
struct sy_job_way {
    uint32_t batch_max; /* jobs of a batch */
    uint32_t per_build; /* a submission's jobs that pay for building one table more */
    /* verify writes 1 or 0 into good for each job of the batch, or fails: SY_ERR_NO_MEMORY. Tables
     * are pinned meanwhile. Called from several threads at once. */
    sy_status (*verify)(const void *own, uint8_t *good, const struct sy_job_batch *batch);
};

static inline const struct sy_public_key *sy_job_key(const struct sy_job_source *source,
                                                     uint32_t index)
{
    return source->submission ? &source->submission->jobs[index].key : &source->raw[index].key;
}

static inline const struct sy_signature *sy_job_signature(const struct sy_job_source *source,
                                                          uint32_t index)
{
    return source->submission ? &source->submission->jobs[index].signature
                              : &source->raw[index].signature;
}

/* sy_job_challenge names what a submission's job has hashed; the pointers are into the submission,
 * whose leaf hashes are there. */
static inline struct sy_challenge sy_job_challenge(const struct sy_submission *submission,
                                                   uint32_t index)
{
    const struct sy_sig_job *job = &submission->jobs[index];
    return (struct sy_challenge){
        .r = job->signature.bytes,
        .key = job->key.bytes,
        .digest = job->leaf == SY_JOB_NO_LEAF ? &job->digest : &submission->leaf_hashes[job->leaf],
        .kind = job->kind};
}

/* sy_job_hash_raw is the same hash for a raw job, by OpenSSL, whose message may have any length.
 * False: no memory to put it together. */
bool sy_job_hash_raw(uint8_t out[64], const struct sy_raw_job *job);

/* sy_job_way_run is an engine's run (engine.h): hashes the leaves and computes the roots by the
 * best way of sha256_many.h, decides the jobs, and builds some of the tables that were earned: one
 * if it is urgent, else 8 and one for every per_build jobs. own: what verify is given.
 * SY_ERR_NO_MEMORY. */
sy_status sy_job_way_run(const struct sy_job_way *way, const void *own, sy_key_tables *tables,
                         struct sy_submission *submission, struct sy_hash *scratch);

/* sy_job_way_run_raw is its raw; all tables that were earned are built. */
sy_status sy_job_way_run_raw(const struct sy_job_way *way, const void *own, sy_key_tables *tables,
                             const struct sy_raw_job *jobs, uint32_t count, uint8_t *verdicts);

#endif
