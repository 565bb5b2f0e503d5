/* signing.c: who signs and who decides signatures in a world: the keyed hash, or Ed25519. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "tests/sim/sim_internal.h"
#include "tests/support/network.h"

#define LEAVES_MAX (2u * SY_BATCH_TXS_MAX)

void sim_signing_open(struct world *world)
{
    static const struct sy_engine_impl *const impls[] = {&sy_engine_openssl, NULL};
    struct signing *signing = &world->signing;
    signing->keyed.secret[0] = sy_prng_next(&world->prng);
    signing->keyed.secret[1] = sy_prng_next(&world->prng);
    signing->scratch = (struct sy_hash *)calloc(LEAVES_MAX, sizeof *signing->scratch);
    SY_ASSERT(signing->scratch != NULL);
    if (!world->options.real_signatures) return;
    struct sy_engine_config config = {
        .threads = 0, .queue = 4, .leaves_max = LEAVES_MAX, .impls = impls};
    struct sy_error err;
    sy_status status = sy_engine_open(&signing->engine, &config, &err);
    SY_ASSERT(status == SY_OK);
}

void sim_signing_close(struct world *world)
{
    sy_engine_close(world->signing.engine);
    free(world->signing.scratch);
}

void sim_sign_in(const struct world *world, struct sy_signature *out, uint32_t epoch,
                 uint16_t index, enum sy_sig_kind kind, const struct sy_hash *digest)
{
    uint16_t place = sim_index_in(world, epoch, index);
    const struct sy_roster *roster = sim_roster(world, epoch);
    SY_ASSERT(place < roster->count);
    if (world->options.real_signatures) {
        sy_sign(test_key(world->epochs[epoch].keys[place]), out, kind, digest);
        return;
    }
    const struct sy_public_key *key = &roster->validators[place].consensus_key;
    sim_keyed_sign(&world->signing.keyed, out, key, kind, digest);
}

void sim_sign(const struct world *world, struct sy_signature *out, uint16_t index,
              enum sy_sig_kind kind, const struct sy_hash *digest)
{
    sim_sign_in(world, out, world->validators[index].roster.epoch, index, kind, digest);
}

static void sign_for(void *self, struct sy_signature *out, enum sy_sig_kind kind,
                     const struct sy_hash *digest)
{
    const struct validator *validator = (const struct validator *)self;
    sim_sign_in(validator->world, out, validator->roster.epoch, validator->index, kind, digest);
}

struct sy_signer sim_signer(struct validator *validator)
{
    return (struct sy_signer){validator, sign_for};
}

bool sim_verify(const struct world *world, const struct sy_public_key *key, enum sy_sig_kind kind,
                const struct sy_hash *digest, const struct sy_signature *signature)
{
    if (world->options.real_signatures) return sy_verify_one(key, kind, digest, signature);
    return sim_keyed_verify(&world->signing.keyed, key, kind, digest, signature);
}

static bool verify_for(void *self, const struct sy_public_key *key, enum sy_sig_kind kind,
                       const struct sy_hash *digest, const struct sy_signature *signature)
{
    return sim_verify((const struct world *)self, key, kind, digest, signature);
}

struct sy_verifier sim_verifier(struct world *world)
{
    return (struct sy_verifier){world, verify_for};
}

void sim_check_jobs(struct world *world, struct sy_submission *submission)
{
    struct signing *signing = &world->signing;
    sy_status status = SY_OK;
    if (world->options.real_signatures) {
        status = sy_engine_run(signing->engine, submission);
    } else {
        SY_ASSERT(submission->leaf_count <= LEAVES_MAX);
        status = sim_keyed_engine.run(&signing->keyed, submission, signing->scratch);
    }
    SY_ASSERT(status == SY_OK);
}

void sim_sign_tx(const struct world *world, uint8_t *bytes, size_t size)
{
    struct sy_tx tx;
    struct sy_hash id;
    if (world->options.real_signatures) return;
    enum sy_refusal refusal = sy_tx_decode(&tx, NULL, sy_slice_of(bytes, size), NULL);
    SY_ASSERT(refusal == SY_APPLIED);
    sy_tx_id(&id, &tx);
    for (unsigned i = 0; i < sy_tx_signer_count(&tx); i++) {
        struct sy_signature signature;
        sim_keyed_sign(&world->signing.keyed, &signature, sy_tx_signer_key(&tx, i), SY_SIG_TX, &id);
        memcpy(bytes + tx.body.size + 64u * i, signature.bytes, sizeof signature.bytes);
    }
}
