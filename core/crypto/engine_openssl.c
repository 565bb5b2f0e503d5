/* engine_openssl.c: the reference implementation: one thing after the other, through OpenSSL. */
#include "core/crypto/engine.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "core/crypto/openssl_ed25519.h"

static sy_status open_reference(void **state, const struct sy_engine_config *config,
                                struct sy_error *err)
{
    (void)config;
    (void)err;
    *state = NULL; // Contexts are kept per thread (openssl_ctx.h).
    return SY_OK;
}

static bool check_job(const struct sy_submission *submission, const struct sy_sig_job *job)
{
    const struct sy_hash *digest =
        job->leaf == SY_JOB_NO_LEAF ? &job->digest : &submission->leaf_hashes[job->leaf];
    uint8_t message[SY_SIG_MESSAGE_BYTES];
    sy_sig_message(message, (enum sy_sig_kind)job->kind, digest);
    return sy_openssl_ed25519_verify(&job->key, message, sizeof message, &job->signature);
}

static sy_status run_reference(void *state, struct sy_submission *submission,
                               struct sy_hash *scratch)
{
    (void)state;
    for (uint32_t i = 0; submission->leaves && i < submission->leaf_count; i++) {
        sy_hash_leaf(&submission->leaf_hashes[i], submission->leaves[i]);
    }
    for (uint32_t i = 0; i < submission->job_count; i++) {
        submission->verdicts[i] = check_job(submission, &submission->jobs[i]) ? 1 : 0;
    }
    for (uint32_t i = 0; i < submission->tree_count; i++) {
        struct sy_tree_job *tree = &submission->trees[i];
        const struct sy_hash *first =
            tree->count > 0 ? submission->leaf_hashes + tree->first : NULL;
        sy_merkle_root_by(&sy_sha256_openssl, &tree->root, scratch, first, tree->count);
    }
    return SY_OK;
}

static sy_status raw_reference(void *state, const struct sy_raw_job *jobs, uint32_t count,
                               uint8_t *verdicts)
{
    (void)state;
    for (uint32_t i = 0; i < count; i++) {
        verdicts[i] = sy_openssl_ed25519_verify(&jobs[i].key, jobs[i].message.data,
                                                jobs[i].message.size, &jobs[i].signature);
    }
    return SY_OK;
}

const struct sy_engine_impl sy_engine_openssl = {
    .name = "openssl", .open = open_reference, .run = run_reference, .raw = raw_reference};
