/* keyed.c: see keyed.h. */
#include "tests/sim/keyed.h"

#include <string.h>

#include "core/base/siphash.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"

static bool stays_ed25519(enum sy_sig_kind kind)
{
    return kind == SY_SIG_POSSESSION || kind == SY_SIG_APPROVAL;
}

void sim_keyed_sign(const struct sim_keyed *keyed, struct sy_signature *out,
                    const struct sy_public_key *key, enum sy_sig_kind kind,
                    const struct sy_hash *digest)
{
    uint8_t message[sizeof *key + 1 + sizeof *digest];
    memcpy(message, key->bytes, sizeof *key);
    message[sizeof *key] = (uint8_t)kind;
    memcpy(message + sizeof *key + 1, digest->bytes, sizeof *digest);
    uint64_t tag[2];
    for (unsigned i = 0; i < 2; i++) {
        const uint64_t secret[2] = {keyed->secret[0] + i, keyed->secret[1]};
        tag[i] = sy_siphash13(secret, message, sizeof message);
    }
    for (unsigned i = 0; i < sizeof out->bytes / 8; i++) {
        sy_store_u64(out->bytes + 8u * i, tag[i & 1] + i);
    }
}

bool sim_keyed_verify(const struct sim_keyed *keyed, const struct sy_public_key *key,
                      enum sy_sig_kind kind, const struct sy_hash *digest,
                      const struct sy_signature *signature)
{
    struct sy_signature good;
    if (stays_ed25519(kind)) return sy_verify_one(key, kind, digest, signature);
    sim_keyed_sign(keyed, &good, key, kind, digest);
    return memcmp(good.bytes, signature->bytes, sizeof good.bytes) == 0;
}

static sy_status run(void *state, struct sy_submission *submission, struct sy_hash *scratch)
{
    const struct sim_keyed *keyed = (const struct sim_keyed *)state;
    for (uint32_t i = 0; i < submission->leaf_count; i++) {
        sy_hash_leaf(&submission->leaf_hashes[i], submission->leaves[i]);
    }
    for (uint32_t i = 0; i < submission->job_count; i++) {
        const struct sy_sig_job *job = &submission->jobs[i];
        const struct sy_hash *digest =
            job->leaf == SY_JOB_NO_LEAF ? &job->digest : &submission->leaf_hashes[job->leaf];
        submission->verdicts[i] = sim_keyed_verify(keyed, &job->key, (enum sy_sig_kind)job->kind,
                                                   digest, &job->signature);
    }
    for (uint32_t i = 0; i < submission->tree_count; i++) {
        struct sy_tree_job *tree = &submission->trees[i];
        const struct sy_hash *first =
            tree->count > 0 ? submission->leaf_hashes + tree->first : NULL;
        sy_merkle_root(&tree->root, scratch, first, tree->count);
    }
    return SY_OK;
}

const struct sy_engine_impl sim_keyed_engine = {.name = "keyed", .run = run};
