/* engine_check.c: the cross-check of a finished submission against OpenSSL. */
#include "core/crypto/engine_check.h"

#include "core/base/assert.h"
#include "core/base/telemetry.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"

void sy_engine_assert_submission(const struct sy_submission *submission)
{
    for (uint32_t i = 0; i < submission->job_count; i++) {
        const struct sy_sig_job *job = &submission->jobs[i];
        SY_ASSERT(job->leaf == SY_JOB_NO_LEAF || job->leaf < submission->leaf_count);
        SY_ASSERT(job->kind >= SY_SIG_TX && job->kind < SY_SIG_KIND_COUNT);
    }
    for (uint32_t i = 0; i < submission->tree_count; i++) {
        const struct sy_tree_job *tree = &submission->trees[i];
        SY_ASSERT(tree->first <= submission->leaf_count);
        SY_ASSERT(tree->count <= submission->leaf_count - tree->first);
    }
}

// The finaliser of splitmix64 (Steele, Lea, Flood 2014): every bit of the number counts.
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static bool draw(uint64_t answer, uint32_t sample_every)
{
    return sample_every > 0 && mix(answer) % sample_every == 0;
}

static bool is_leaf_right(const struct sy_submission *submission, uint32_t index)
{
    struct sy_hash hash;
    if (!submission->leaves) return true; // It was given.
    sy_hash_leaf(&hash, submission->leaves[index]);
    return sy_hash_equal(&hash, &submission->leaf_hashes[index]);
}

// Hashes a leaf itself rather than trusting the implementation's hash of it.
static bool is_verdict_right(const struct sy_submission *submission, uint32_t index)
{
    const struct sy_sig_job *job = &submission->jobs[index];
    struct sy_hash digest = job->digest;
    if (job->leaf != SY_JOB_NO_LEAF && submission->leaves) {
        sy_hash_leaf(&digest, submission->leaves[job->leaf]);
    } else if (job->leaf != SY_JOB_NO_LEAF) {
        digest = submission->leaf_hashes[job->leaf];
    }
    bool good = sy_verify_one(&job->key, (enum sy_sig_kind)job->kind, &digest, &job->signature);
    return submission->verdicts[index] == (good ? 1 : 0);
}

static bool is_root_right(const struct sy_submission *submission, struct sy_hash *scratch,
                          uint32_t index)
{
    const struct sy_tree_job *tree = &submission->trees[index];
    const struct sy_hash *first = tree->count > 0 ? submission->leaf_hashes + tree->first : NULL;
    struct sy_hash root;
    sy_merkle_root_by(&sy_sha256_openssl, &root, scratch, first, tree->count);
    return sy_hash_equal(&root, &tree->root);
}

const char *sy_engine_contradict(const struct sy_submission *submission, struct sy_hash *scratch,
                                 uint64_t *checked, uint64_t first_answer, uint32_t sample_every)
{
    uint64_t answer = first_answer;
    for (uint32_t i = 0; i < submission->leaf_count; i++) {
        if (!draw(answer++, sample_every)) continue;
        ++*checked;
        if (!is_leaf_right(submission, i)) return "a leaf hash is wrong";
    }
    for (uint32_t i = 0; i < submission->job_count; i++) {
        bool confirm = submission->confirm_negatives && submission->verdicts[i] == 0;
        if (submission->verdicts[i] > 1) return "a verdict is neither 0 nor 1";
        if (!draw(answer++, sample_every) && !confirm) continue;
        ++*checked;
        if (!is_verdict_right(submission, i)) return "a verdict is wrong";
    }
    for (uint32_t i = 0; i < submission->tree_count; i++) {
        if (!draw(answer++, sample_every)) continue;
        ++*checked;
        if (!is_root_right(submission, scratch, i)) return "a root is wrong";
    }
    return NULL;
}

void sy_engine_alarm(const struct sy_engine_impl *impl, const char *reason)
{
    sy_metric_add(SY_M_engine_retired_total, 1);
    SY_LOG(SY_LOG_ERROR, "crypto", "engine_retired", SY_F_TEXT("engine", impl->name),
           SY_F_TEXT("reason", reason));
}
